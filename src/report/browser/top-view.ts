import { data } from './data.js';
import { Player } from './player.js';

/** Lets the reader choose a start, the policies and a moment of the drawn top view. */
export function startTopView(): void {
  const figure = document.querySelector<HTMLElement>('.top-view');
  const view = data.topView;
  if (figure === null || view === null) return;
  const starts = [...figure.querySelectorAll<SVGGElement>('.start')];
  const which = figure.querySelector<HTMLButtonElement>('.which')!;
  /** The index of the start that is shown; −1 shows all of them. */
  let chosen = -1;

  const player = new Player(figure, view.stepSeconds, (frame) => {
    figure.classList.toggle('playing', frame > 0);
    starts.forEach((group, i) => {
      if (chosen >= 0 && i !== chosen) return;
      for (const path of view.starts[i]!.paths) {
        const robot = group.querySelector(`[data-policy="${path.policy}"] .robot`)!;
        const t = Math.min(frame, path.x.length - 1);
        const degrees = (path.yaw[t]! * 180) / Math.PI;
        robot.setAttribute('transform', `translate(${100 * path.x[t]!} ${100 * path.y[t]!}) rotate(${degrees})`);
      }
    });
  });

  const choose = (start: number): void => {
    chosen = start;
    figure.classList.toggle('focused', start >= 0);
    starts.forEach((group, i) => {
      group.classList.toggle('chosen', i === start);
    });
    which.textContent =
      start < 0
        ? `all ${starts.length} starts`
        : `start ${start + 1} of ${starts.length} · seed ${view.starts[start]!.seed}`;
    const shown = start < 0 ? view.starts : [view.starts[start]!];
    player.load(Math.max(...shown.flatMap(({ paths }) => paths.map(({ x }) => x.length))), view.stepSeconds);
  };
  for (const button of figure.querySelectorAll<HTMLButtonElement>('[data-step]'))
    button.addEventListener('click', () => {
      const step = Number(button.dataset.step);
      // One more place than starts: "all" lies between the last and the first.
      const places = starts.length + 1;
      choose(step === 0 ? -1 : ((chosen + 1 + step + places) % places) - 1);
    });
  for (const box of figure.querySelectorAll<HTMLInputElement>('.legend input'))
    box.addEventListener('change', () => {
      for (const path of figure.querySelectorAll(`.path[data-policy="${box.dataset.policy}"]`))
        path.classList.toggle('hidden', !box.checked);
    });
}
