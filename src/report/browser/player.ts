/** Plays frames in real time and lets them be scrubbed. */
export class Player {
  readonly #button: HTMLButtonElement;
  readonly #range: HTMLInputElement;
  readonly #output: HTMLOutputElement;
  readonly #show: (frame: number) => void;
  #stepSeconds: number;
  #startedAt: number | null = null;

  /** `root` holds the elements of the section `player`; `show` is called with the number of every frame to show. */
  constructor(root: ParentNode, stepSeconds: number, show: (frame: number) => void) {
    this.#button = root.querySelector('.player .play')!;
    this.#range = root.querySelector('.player input')!;
    this.#output = root.querySelector('.player output')!;
    this.#stepSeconds = stepSeconds;
    this.#show = show;
    this.#button.addEventListener('click', () => (this.playing ? this.pause() : this.play()));
    this.#range.addEventListener('input', () => {
      this.pause();
      this.#tell();
    });
  }

  get playing(): boolean {
    return this.#startedAt !== null;
  }

  get frame(): number {
    return Number(this.#range.value);
  }

  get #last(): number {
    return Number(this.#range.max);
  }

  /** Takes another episode, with its own number of frames, from its first frame. */
  load(frames: number, stepSeconds: number): void {
    this.#stepSeconds = stepSeconds;
    this.#range.max = String(Math.max(0, frames - 1));
    this.seek(0);
    if (this.playing) this.play();
  }

  seek(frame: number): void {
    this.#range.value = String(frame);
    this.#tell();
  }

  play(): void {
    if (this.frame >= this.#last) this.seek(0);
    this.#startedAt = performance.now() - this.frame * this.#stepSeconds * 1000;
    this.#label();
    requestAnimationFrame(() => this.#advance());
  }

  pause(): void {
    this.#startedAt = null;
    this.#label();
  }

  #advance(): void {
    if (this.#startedAt === null) return;
    const frame = Math.floor((performance.now() - this.#startedAt) / 1000 / this.#stepSeconds);
    if (frame !== this.frame) this.seek(Math.min(frame, this.#last));
    if (frame >= this.#last) this.pause();
    else requestAnimationFrame(() => this.#advance());
  }

  #label(): void {
    this.#button.textContent = this.playing ? '❚❚' : '▶';
    this.#button.setAttribute('aria-label', this.playing ? 'Pause' : 'Play');
  }

  #tell(): void {
    const time = `${(this.frame * this.#stepSeconds).toFixed(1)} s`;
    this.#output.textContent = time;
    this.#range.setAttribute('aria-valuetext', time);
    this.#show(this.frame);
  }
}
