import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Random } from '#src/common/index.js';
import { Fleet } from '#src/hosts/plain/fleet.js';
import { StreamPlaces } from '#src/hosts/plain/stream-places.js';
import { takeSlice } from '#src/hosts/plain/take-slice.js';
import type { Episode } from '#src/learning/index.js';
import { encodeRecorded, linkTopics, type StreamRecord } from '#src/link/index.js';
import { emptyMessage, type Transition } from '#src/messages/index.js';
import { LearnerGateway, LearnerNode, type RobotSlice, rowShape } from '#src/nodes/index.js';
import type { LearningClient, Segment, SessionState } from '#src/training/index.js';
import { EmbeddedBroker, qos } from '#src/transport/index.js';
import { Rig, spec, trolleyBundle } from '../../nodes/toy.js';

const ROBOT = 'trolley-1';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'take-slice-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A robot that drives, and now and then sends what it should not. */
class Robot {
  readonly #random: Random;
  readonly records: StreamRecord[] = [];
  #place = 0n;
  #sequence = 0;
  #session = 'a';
  #episode = 0;
  #step = 0;
  #reward = Number.NaN;
  #x = 0.5;
  #ms = 1_000_000;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  drive(count: number): void {
    for (let i = 0; i < count; i++) this.#say(this.#next());
  }

  #say(transition: Transition): void {
    const random = this.#random;
    let payload = encodeRecorded('/transitions', transition);
    if (random.integer(200) === 0) payload = payload.slice(0, random.integer(payload.length));
    if (random.integer(200) === 0) payload[random.integer(payload.length)] = random.integer(256);
    this.#record('/transitions', payload);
    if (random.integer(60) === 0) this.#record('/transitions', payload);
    if (random.integer(60) === 0)
      this.#record('/episode_events', encodeRecorded('/episode_events', emptyMessage('iq_learn/msg/EpisodeEvent')));
    if (random.integer(400) === 0) this.#record('/nobody_knows', payload);
  }

  #record(topic: string, payload: Uint8Array): void {
    // Records that were dropped on the robot leave their numbers out.
    this.#place += this.#random.integer(80) === 0 ? 3n : 1n;
    this.records.push({ sequence: this.#place, topic, payload });
  }

  #next(): Transition {
    const random = this.#random;
    const next = this.#x + random.uniform(-0.01, 0.01);
    const ends = random.integer(30) === 0;
    this.#ms += 50;
    const normal: Transition = {
      ...emptyMessage('iq_learn/msg/Transition'),
      header: { stamp: { sec: Math.floor(this.#ms / 1000), nanosec: (this.#ms % 1000) * 1_000_000 }, frame_id: '' },
      robot: spec.robot,
      session: this.#session,
      sequence: BigInt(this.#sequence),
      episode: this.#episode,
      step: this.#step,
      policy_version: BigInt(Math.floor(this.#sequence / 100)),
      observation: Float32Array.of(this.#x, random.uniform(-1, 1)),
      action: Float32Array.of(random.uniform(-1, 1)),
      next_observation: Float32Array.of(next, random.uniform(-1, 1)),
      terminated: ends && random.integer(2) === 0,
      truncated: ends,
      intervention: random.integer(40) === 0,
      reward: this.#reward,
    };
    this.#x = next;
    this.#sequence += random.integer(50) === 0 ? 2 : 1;
    this.#step += 1;
    if (ends)
      [this.#episode, this.#step, this.#reward] = [this.#episode + 1, 0, random.integer(2) === 0 ? 1 : Number.NaN];
    if (random.integer(300) === 0) [this.#session, this.#sequence] = [`${this.#session}b`, 0];
    return { ...normal, ...this.#fault(normal) };
  }

  #fault(normal: Transition): Partial<Transition> {
    const faults: (() => Partial<Transition>)[] = [
      () => ({ observation: Float32Array.of(Number.NaN, 0) }),
      () => ({ next_observation: Float32Array.of(1, 2, 3) }),
      () => ({ action: Float32Array.of(9) }),
      () => ({ observation: Float32Array.of(500, 0) }),
      () => ({ robot: 'another' }),
      () => ({ sequence: normal.sequence + 5000n }),
      () => ({ header: { ...normal.header, frame_id: 'odom' } }),
      () => ({ header: emptyMessage('std_msgs/msg/Header') }),
      () => ({ header: { ...normal.header, stamp: { sec: 1, nanosec: 2 } } }),
      () => ({ next_blocks: Uint8Array.of(1) }),
    ];
    return this.#random.integer(25) === 0 ? faults[this.#random.integer(faults.length)]!() : {};
  }
}

const demonstration: Episode = {
  length: 50,
  observations: Float32Array.from({ length: 102 }, (_, i) => Math.sin(i)),
  actions: Float32Array.from({ length: 50 }, (_, i) => Math.cos(i)),
  terminated: true,
};

/** The learner's side of one robot, as `serve` has it; in `rows`, or a message at a time. */
class Side {
  readonly link = new EmbeddedBroker({ seed: 1 });
  readonly rig = new Rig();
  readonly segments: { readonly segment: Segment; readonly session: SessionState | undefined }[] = [];
  readonly rollouts: unknown[] = [];
  readonly left: unknown[] = [];
  readonly places = new StreamPlaces(0, undefined);
  readonly fleet: Fleet;
  readonly learner: LearnerNode;
  readonly gateway: LearnerGateway;
  readonly slices: RobotSlice[] = [];

  constructor(bundle: Awaited<ReturnType<typeof trolleyBundle>>, inRows: boolean, name: string) {
    const start = { version: 0, updates: 0, transitions: 0, demonstrations: 0, metrics: {}, seconds: 0, bundle };
    const client: LearningClient = {
      start,
      listen() {},
      learn: (segment, session) => void this.segments.push({ segment, session }),
      pause() {},
      recoverRewards: () => Promise.reject(new Error('not here')),
      deployed: async () => bundle,
      save: async () => 0,
      stop: async () => null,
    };
    this.learner = this.rig.start(new LearnerNode(this.rig.context('learner'), client, { segmentSize: 16 }));
    this.learner.attribute((transition) => this.places.robotOf(transition));
    this.learner.storeWithSegments((_, all) => this.places.after(all));
    this.learner.onRollout((episode) => this.rollouts.push(episode));
    this.fleet = new Fleet(
      {
        spec,
        robots: [ROBOT],
        rollout: { mode: 'all', share: 0.3, episodes: 3, tolerance: 0.1 },
        demonstrations: [demonstration],
        statesOnly: false,
        folder: join(folder, name),
        spacing: 1,
        logger: this.rig.context('fleet').logger,
        view: () => this.gateway.view,
        send: () => {},
        leaveOut: (robot, place) => this.#leaveOut(robot, place),
      },
      this.link.connect(),
      this.rig.broker.connect(),
    );
    const parts = { fleet: this.fleet, places: this.places, learner: this.learner };
    this.gateway = this.rig.start(
      new LearnerGateway(this.rig.context('gateway'), {
        robot: ROBOT,
        link: this.link.connect(),
        signer: { sign: () => emptyMessage('iq_learn_link/msg/SignedPolicy') },
        sendsWhenAsked: true,
        admits: (transition, place) => this.fleet.admits(ROBOT, transition, place),
        learn: (transition) => this.learner.take(transition),
        onTransition: (transition, place) => this.places.note(ROBOT, transition, place),
        ...(inRows && {
          rows: {
            shape: rowShape(spec)!,
            take: (slice, epoch, refused) => {
              const own = { ...slice, robot: ROBOT };
              this.slices.push(own);
              takeSlice(own, epoch, { ...parts, refused });
            },
          },
        }),
      }),
    );
  }

  #leaveOut(robot: string, place: { epoch: bigint; sequence: bigint }): void {
    this.places.leaveOut(robot, place);
  }

  async send(records: readonly StreamRecord[], random: Random): Promise<void> {
    const stream = this.link
      .connect()
      .advertise(linkTopics.stream.topic, 'iq_learn_link/msg/StreamBatch', { ...qos.event, depth: 1000 });
    let previous = 0n;
    for (let i = 0; i < records.length; ) {
      const count = 1 + random.integer(90);
      const batch = records.slice(i, i + count);
      stream.publish({ robot: ROBOT, epoch: 4n, previous, records: batch });
      previous = batch.at(-1)!.sequence;
      i += count;
      await this.link.idle();
    }
    await vi.waitFor(() => expect(this.gateway.view.records).toBe(records.length), { timeout: 20_000 });
    await this.rig.broker.idle();
  }

  async close(): Promise<void> {
    this.fleet.close();
    await this.rig.close();
    await this.link.close();
  }

  /** All that can be seen of what was taken in. */
  get seen(): unknown {
    const values = (status: { values: readonly unknown[] }): unknown => status.values;
    return {
      segments: this.segments,
      rollouts: this.rollouts,
      robots: this.fleet.robots.map(({ distance: _, ...robot }) => robot),
      refused: this.gateway.view.refused,
      learner: values(this.learner.status()),
      gateway: values(this.gateway.status()),
      said: this.rig.records
        .filter(({ level }) => level !== 'debug')
        .map(({ level, message, fields }) => [level, message, fields]),
    };
  }
}

describe('transitions that a robot sends over the link', () => {
  it('are learned from, left out and refused alike, in rows and one by one: the same segments, places and words', async () => {
    const bundle = await trolleyBundle(0);
    for (let seed = 1; seed <= 6; seed++) {
      const robot = new Robot(seed);
      robot.drive(1500);
      const sides = [true, false].map((inRows) => new Side(bundle, inRows, `${seed} ${inRows}`));
      for (const side of sides) await side.send(robot.records, new Random(seed));
      const [rows, oneByOne] = sides as [Side, Side];
      expect(rows.seen).toEqual(oneByOne.seen);
      // Most went in rows, or the comparison says nothing.
      const inRows = rows.slices.reduce((sum, { from, to }) => sum + to - from, 0);
      expect(inRows).toBeGreaterThan(1200);
      expect(oneByOne.slices).toEqual([]);
      for (const side of sides) await side.close();
    }
  }, 120_000);
});
