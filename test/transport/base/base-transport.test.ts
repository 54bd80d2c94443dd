import { describe, expect, test, vi } from 'vitest';
import { IqLearnError } from '#src/common/index.js';
import {
  BaseTransport,
  type Closable,
  type PendingCall,
  type PublisherEndpoint,
  qos,
  type ServiceHandler,
  type SubscriptionRequest,
} from '#src/transport/index.js';

const Float64s = 'std_msgs/msg/Float64MultiArray';
const Trigger = 'std_srvs/srv/Trigger';
const number = (value: number) => ({ layout: { dim: [], data_offset: 0 }, data: Float64Array.of(value) });

/** The least that an adapter has to be: it does nothing, and writes down what it was asked for. */
class Recorded extends BaseTransport {
  readonly name = 'recorded';
  readonly capabilities = {
    latchedDepth: 1,
    matchesQos: false,
    noticesClosedServers: false,
    refusesSecondServers: false,
    knowsPublishers: false,
  } as const;
  readonly events: string[] = [];
  readonly calls: PendingCall[] = [];
  request: SubscriptionRequest | undefined;
  failure: Error | undefined;

  constructor(report: (error: IqLearnError) => void = () => {}) {
    super(report);
  }

  protected override openPublisher(topic: string): PublisherEndpoint {
    return { publish: () => this.events.push(`publish ${topic}`), close: () => this.events.push(`close ${topic}`) };
  }
  protected override openSubscription(request: SubscriptionRequest): Closable {
    this.request = request;
    return { close: () => this.events.push(`close ${request.topic}`) };
  }
  protected override openServer(service: string, _type: string, _handler: ServiceHandler): Closable {
    return { close: () => this.events.push(`close ${service}`) };
  }
  protected override send(call: PendingCall): void {
    if (this.failure !== undefined) throw this.failure;
    this.calls.push(call);
  }
  protected override beforeClose(): void {
    this.events.push('before');
  }
  protected override async afterClose(): Promise<void> {
    this.events.push('after');
  }
}

describe('the base of all transports', () => {
  test('an endpoint is closed once, by its owner or with the transport, between the two hooks', async () => {
    const transport = new Recorded();
    const first = transport.advertise('/first', Float64s);
    transport.advertise('/second', Float64s);
    transport.subscribe('/third', Float64s, () => {});
    transport.serve('/fourth', Trigger, async () => ({ success: true, message: '' }));
    first.close();
    first.close();
    expect(transport.events).toEqual(['close /first']);
    await Promise.all([transport.close(), transport.close()]);
    expect(transport.events.slice(1)).toEqual(['before', 'close /second', 'close /third', 'close /fourth', 'after']);
  });

  test('endpoints are closed before close returns, and nothing works from then on', async () => {
    const transport = new Recorded();
    const publisher = transport.advertise('/numbers', Float64s);
    const closing = transport.close();
    expect(transport.events).toContain('close /numbers');
    const closed = expect.objectContaining({ code: 'UNAVAILABLE' });
    expect(() => publisher.publish(number(1))).toThrow(closed);
    expect(() => transport.advertise('/numbers', Float64s)).toThrow(closed);
    expect(() => transport.subscribe('/numbers', Float64s, () => {})).toThrow(closed);
    expect(() => transport.serve('/s', Trigger, async () => ({ success: true, message: '' }))).toThrow(closed);
    await expect(transport.call('/s', Trigger, {}, { timeoutMs: 10 })).rejects.toEqual(closed);
    await closing;
  });

  test('a message that an adapter delivers after the subscription was closed does not reach the handler', () => {
    const transport = new Recorded();
    const received: number[] = [];
    const subscription = transport.subscribe('/numbers', Float64s, ({ data }) => received.push(data[0]!));
    transport.request!.deliver({ message: number(1), receivedNs: 0n });
    subscription.close();
    transport.request!.deliver({ message: number(2), receivedNs: 0n });
    expect(received).toEqual([1]);
  });

  test('a publisher that offers to keep more messages than the transport can is refused before anything is opened', () => {
    const transport = new Recorded();
    expect(() => transport.advertise('/policy', Float64s, { ...qos.latched, depth: 2 })).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED',
        message: expect.stringMatching(/\/policy.*transient_local with depth 2.*at most 1/),
      }),
    );
    expect(() => transport.advertise('/policy', Float64s, qos.latched)).not.toThrow();
    expect(() => transport.advertise('/events', Float64s, qos.event)).not.toThrow();
  });

  test('a call without an answer says whether a server had it, and what comes later changes nothing', async () => {
    vi.useFakeTimers();
    try {
      const transport = new Recorded();
      const settled = Promise.allSettled([
        transport.call('/unsent', Trigger, {}, { timeoutMs: 100 }),
        transport.call('/sent', Trigger, {}, { timeoutMs: 100 }),
      ]);
      transport.calls[1]!.sent();
      vi.advanceTimersByTime(100);
      for (const call of transport.calls) call.succeed({ success: true, message: 'late' });
      expect(await settled).toMatchObject([{ reason: { code: 'UNAVAILABLE' } }, { reason: { code: 'TIMEOUT' } }]);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a call that the adapter cannot send fails with its error, and leaves no timer', async () => {
    vi.useFakeTimers();
    try {
      const transport = new Recorded();
      transport.failure = new IqLearnError('MISMATCH', 'another type');
      await expect(transport.call('/s', Trigger, {}, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'MISMATCH' });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('closing cancels calls and releases what they hold', async () => {
    const transport = new Recorded();
    const call = transport.call('/s', Trigger, {}, { timeoutMs: 60_000 });
    const released = vi.fn();
    transport.calls[0]!.onSettled(released);
    const closing = transport.close();
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(released).toHaveBeenCalledOnce();
    await closing;
  });
});
