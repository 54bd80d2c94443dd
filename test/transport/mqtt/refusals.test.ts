import { beforeEach, describe, expect, it } from 'vitest';
import { Refusals } from '#src/transport/mqtt/refusals.js';

const refused = Object.assign(new Error('Publish error: Not authorized'), { code: 135 });

describe('what a broker does not permit', () => {
  let said: string[];
  let refusals: Refusals;
  beforeEach(() => {
    said = [];
    refusals = new Refusals(({ message }) => said.push(message));
  });

  it('is one error for all subscriptions that were refused together', () => {
    refusals.subscription('fleet/learner/fleet_status', 'Not authorized');
    refusals.subscription('fleet/learner/fleet_request', 'Not authorized');
    expect(said).toEqual([]);
    refusals.answered();
    refusals.answered();
    expect(said).toEqual([
      expect.stringMatching(
        /refuses the subscription of fleet\/learner\/fleet_status, fleet\/learner\/fleet_request;.*Not authorized.*iq-learn link access/,
      ),
    ]);
  });

  it('is said once of a topic that is published on, and again on a new connection', () => {
    expect(refusals.outcome('a', refused)).toBe('refused');
    expect(refusals.outcome('a', refused)).toBe('refused');
    expect(refusals.outcome('b', refused)).toBe('refused');
    expect(said).toEqual([expect.stringMatching(/published on a;/), expect.stringMatching(/published on b;/)]);
    refusals.clear();
    refusals.outcome('a', refused);
    expect(said).toHaveLength(3);
  });

  it('is not a message that was lost, which is worth sending again', () => {
    expect(refusals.outcome('a', null)).toBe('sent');
    expect(refusals.outcome('a', new Error('connection closed'))).toBe('lost');
    expect(refusals.outcome('a', Object.assign(new Error('no matching subscribers'), { code: 16 }))).toBe('lost');
    expect(said).toEqual([]);
  });
});
