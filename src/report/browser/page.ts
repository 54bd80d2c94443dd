import { chartGroup } from './charts.js';
import { announceTheme } from './data.js';
import { type Axis, learningPanels, rewardPanels } from './panels.js';
import { startTopView } from './top-view.js';

function startTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const root = document.documentElement;
  dark.addEventListener('change', announceTheme);
  document.querySelector('.theme')!.addEventListener('click', () => {
    const now = root.dataset.theme ?? (dark.matches ? 'dark' : 'light');
    root.dataset.theme = now === 'dark' ? 'light' : 'dark';
    announceTheme();
  });
}

function startCurves(): void {
  const container = document.getElementById('curves');
  if (container !== null) {
    let axis: Axis = 'transitions';
    const rebuild = chartGroup(container, () => learningPanels(axis));
    const buttons = [...document.querySelectorAll<HTMLButtonElement>('[data-axis]')];
    for (const button of buttons)
      button.addEventListener('click', () => {
        axis = button.dataset.axis as Axis;
        for (const other of buttons) other.setAttribute('aria-pressed', String(other === button));
        rebuild();
      });
  }
  const traces = document.getElementById('reward-traces');
  if (traces !== null) chartGroup(traces, rewardPanels);
}

function startCopy(): void {
  const button = document.querySelector<HTMLButtonElement>('.copy')!;
  button.addEventListener('click', async () => {
    const code = document.querySelector('.command code')!;
    try {
      await navigator.clipboard.writeText(code.textContent ?? '');
      button.textContent = 'Copied';
    } catch {
      // A page that was opened from the disk may not use the clipboard: the text is selected instead.
      getSelection()?.selectAllChildren(code);
    }
  });
}

startTheme();
startTopView();
startCurves();
startCopy();
