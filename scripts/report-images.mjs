// Makes the README's pictures from a run's own report: node scripts/report-images.mjs runs/NAME [PREFIX]
// With a prefix, such as hopper-, they are hopper-report.png and so on.
// Needs Chromium (CHROMIUM_PATH, else /usr/bin/chromium).
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const [run, prefix = ''] = process.argv.slice(2);
if (run === undefined) throw new Error('usage: node scripts/report-images.mjs runs/NAME [PREFIX]');
const images = fileURLToPath(new URL('../docs/images/', import.meta.url));
mkdirSync(images, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
});
const page = await browser.newPage({ viewport: { width: 1120, height: 800 }, colorScheme: 'light' });
await page.goto(pathToFileURL(resolve(run, 'report.html')).href);
await page.locator('.stage canvas').waitFor();

const scrub = (root, share) =>
  page.locator(`${root} input[type=range]`).evaluate((range, part) => {
    range.value = String(Math.round(part * range.max));
    range.dispatchEvent(new Event('input'));
  }, share);

const end = await page.locator('#results').evaluate((section) => section.getBoundingClientRect().bottom + scrollY);
await page.screenshot({
  path: `${images}${prefix}report.png`,
  fullPage: true,
  clip: { x: 0, y: 0, width: 1120, height: end + 24 },
});
await page.setViewportSize({ width: 640, height: 800 });
if ((await page.locator('.top-view').count()) > 0) {
  await scrub('.top-view', 0.33);
  await page.locator('.top-view').screenshot({ path: `${images}${prefix}driving.png` });
}
await scrub('.scene', 0.33);
await page.locator('.scene').screenshot({ path: `${images}${prefix}replay.png` });
if ((await page.locator('#choice').count()) > 0)
  await page.locator('#choice').screenshot({ path: `${images}${prefix}choice.png` });
await browser.close();
