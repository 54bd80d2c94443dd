import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '#src/report/index.js';
import { sampleReport } from './sample.js';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = [process.env.CHROMIUM_PATH, ...PLACES].find((path) => path !== undefined && existsSync(path));
// On a developer's machine a browser may be missing; where CI is set, a missing browser is a failure.
const withBrowser = executablePath === undefined && !process.env.CI ? describe.skip : describe;

withBrowser(`the report in Chromium${executablePath === undefined ? ' (none found)' : ''}`, () => {
  let folder: string;
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    if (executablePath === undefined) throw new Error(`no Chromium in ${PLACES.join(', ')}; set CHROMIUM_PATH`);
    folder = mkdtempSync(join(tmpdir(), 'iq-report-'));
    const file = join(folder, 'report.html');
    writeFileSync(file, renderReport(sampleReport()));
    // WebGL on the processor: the machines that test have no graphics.
    const args = ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
    browser = await chromium.launch({ executablePath, args });
    page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
    page.setDefaultTimeout(120_000);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !/GPU stall/.test(message.text()))
        problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('.stage canvas');
  });

  afterAll(async () => {
    await browser?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Distinct colours of a canvas: an empty one has a single one. */
  const colours = (selector: string): Promise<number> =>
    page.locator(selector).evaluate((canvas: unknown) => {
      const drawn = canvas as {
        width: number;
        height: number;
        getContext(kind: '2d'): {
          getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
        };
      };
      const { data } = drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });

  it('loads nothing but itself and reports no problem', () => {
    expect(requests.filter((url) => !url.startsWith('data:'))).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('draws every curve', async () => {
    const charts = page.locator('.panel canvas');
    // Return, success, recovered reward, two losses, entropy; and the two traces of rewards.
    expect(await charts.count()).toBe(8);
    for (let i = 0; i < 8; i++) expect(await colours(`.panel >> nth=${i} >> canvas`)).toBeGreaterThan(5);
  });

  it('redraws the curves against time and in the other theme', async () => {
    await page.click('[data-axis="seconds"]');
    expect(await page.locator('[data-axis="seconds"]').getAttribute('aria-pressed')).toBe('true');
    expect(await page.locator('.panel canvas').count()).toBe(8);
    const before = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.click('.theme');
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).not.toBe(before);
  });

  const scrub = (root: string, frame: number) =>
    page.locator(`${root} input[type=range]`).evaluate((input: unknown, value) => {
      const range = input as { value: string; dispatchEvent(event: Event): void };
      range.value = String(value);
      range.dispatchEvent(new Event('input'));
    }, frame);

  it('shows one start and moves its robots with the slider', async () => {
    await page.click('.top-view [data-step="1"]');
    expect(await page.locator('.top-view .which').textContent()).toBe('start 1 of 4 · seed 1000');
    const visible = page.locator('.top-view .start.chosen .iq-learn .robot');
    const before = await visible.getAttribute('transform');
    await scrub('.top-view', 30);
    expect(await visible.getAttribute('transform')).not.toBe(before);
    expect(await page.locator('.top-view output').textContent()).toBe('3.0 s');
    await page.uncheck('.top-view .legend [data-policy="iq-learn"]');
    expect(await visible.isVisible()).toBe(false);
  });

  it('moves the body of the 3-D view with the slider', async () => {
    const stage = page.locator('.stage');
    const picture = async (): Promise<string> => (await stage.screenshot()).toString('base64');
    // The first picture scrolls the stage into view, which draws it anew, soon.
    await picture();
    let before = await picture();
    const still = async (): Promise<boolean> => {
      const last = before;
      before = await picture();
      return before === last;
    };
    await expect.poll(still).toBe(true);
    await scrub('.scene', 10);
    expect(await page.locator('.scene output').textContent()).toBe('0.5 s');
    await expect.poll(picture).not.toBe(before);
    await scrub('.scene', 0);
    await expect.poll(picture).toBe(before);
  });

  it('plays to the end of an episode', async () => {
    await scrub('.scene', 38);
    await page.click('.scene .play');
    await page.locator('.scene .play[aria-label="Play"]').waitFor();
    expect(await page.locator('.scene input[type=range]').inputValue()).toBe('39');
  });

  it('fits a phone without scrolling sideways', async () => {
    await page.setViewportSize({ width: 360, height: 720 });
    // The charts are drawn anew once the page has its new width.
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360);
  });
});
