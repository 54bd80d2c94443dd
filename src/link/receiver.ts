import type { MessageTypes } from '../messages/index.js';
import type { StreamBatch, StreamStanding } from './sender.js';

export type StreamRecord = MessageTypes['iq_learn_link/msg/StreamRecord'];

/** A place in the stream of one robot. */
export interface StreamPlace {
  readonly epoch: bigint;
  readonly sequence: bigint;
}

export interface ReceiverOptions {
  readonly robot: string;
  /** Where a checkpoint has the stream; undefined at the beginning. */
  readonly start?: StreamPlace;
  /** Takes each record once, in order. */
  readonly deliver: (record: StreamRecord, place: StreamPlace) => void;
  /** Called when the records of a batch were delivered, before it is said that they have arrived. */
  readonly settle?: () => void;
  /** Says how far the stream has come; `again` where what came after that is lost. */
  readonly publish: (standing: StreamStanding, again: boolean) => void;
  /**
   * Bytes of records that may have arrived without saying so, nor that a checkpoint has them; whoever sets it calls
   * {@link StreamReceiver.announce} now and then. 0, the default, says so after each batch and each checkpoint.
   */
  readonly quietBytes?: number;
}

/**
 * Takes the stream of one robot: each record once and in order. A batch that does not follow on what has arrived is not
 * taken; the robot is asked once to send again from the place that it is told, for what is on its way behind the gap is
 * out of place as well. Where that is lost, too, the robot sends again by itself after a while. Where a checkpoint is loaded, the stream goes on from the
 * place in it, so that no record is learned from twice and none is left out.
 */
export class StreamReceiver {
  readonly #options: ReceiverOptions;
  #epoch: bigint;
  #received: bigint;
  #durable: bigint;
  #records = 0;
  #repeated = 0;
  #outOfPlace = 0;
  #unsaid = 0;
  /** The robot was asked to send again, and nothing has followed on what was there since. */
  #asked = false;

  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#epoch = options.start?.epoch ?? 0n;
    this.#received = options.start?.sequence ?? 0n;
    this.#durable = this.#received;
  }

  /** Records taken, records that came again, and batches that did not follow on what was there. */
  get counts(): { readonly records: number; readonly repeated: number; readonly outOfPlace: number } {
    return { records: this.#records, repeated: this.#repeated, outOfPlace: this.#outOfPlace };
  }

  get place(): StreamPlace {
    return { epoch: this.#epoch, sequence: this.#received };
  }

  take({ robot, epoch, previous, records }: StreamBatch): void {
    const { deliver, settle, quietBytes = 0 } = this.#options;
    const repeated = this.#repeated;
    // An older stream is that of a spool which was replaced.
    if (robot !== this.#options.robot || epoch < this.#epoch || epoch === 0n) {
      this.#outOfPlace += 1;
      return;
    }
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#received = 0n;
      this.#durable = 0n;
    }
    if (previous > this.#received) {
      this.#outOfPlace += 1;
      this.announce(!this.#asked);
      return;
    }
    this.#asked = false;
    for (const record of records) {
      if (record.sequence <= this.#received) {
        this.#repeated += 1;
        continue;
      }
      this.#received = record.sequence;
      this.#records += 1;
      this.#unsaid += record.payload.length;
      deliver(record, { epoch, sequence: record.sequence });
    }
    settle?.();
    // A repetition is what a robot sends that has not heard where the stream stands.
    if (this.#unsaid >= quietBytes || this.#repeated > repeated) this.announce();
  }

  /** A checkpoint holds everything up to this place. */
  confirm({ epoch, sequence }: StreamPlace): void {
    const { quietBytes = 0 } = this.#options;
    if (epoch !== this.#epoch || sequence <= this.#durable) return;
    this.#durable = sequence;
    // A robot's disk has room until then.
    if (quietBytes === 0) this.announce();
  }

  /**
   * Says where the stream stands. To be called when the link is there; with `again` where what was on its way is lost, as it
   * is with the connection that it was to come by.
   */
  announce(again = false): void {
    const { robot, publish } = this.#options;
    this.#unsaid = 0;
    if (again) this.#asked = true;
    publish({ robot, epoch: this.#epoch, received: this.#received, durable: this.#durable }, again);
  }
}
