// Bundles what a report's page runs in the browser into dist/src/report/browser: reports are single files, so their
// scripts must be too. page.js draws curves and top views; scene.js (three.js) is inlined only where a robot is shown.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const root = fileURLToPath(new URL('../', import.meta.url));
const source = `${root}src/report/browser`;
const target = `${root}dist/src/report/browser`;
const licences = { page: 'uPlot (c) Leon Sorokin, MIT', scene: 'three.js (c) its authors, MIT' };

await build(
  Object.entries(licences).map(([name, licence]) => ({
    input: `${source}/${name}.ts`,
    platform: 'browser',
    logLevel: 'warn',
    output: { file: `${target}/${name}.js`, format: 'iife', minify: true, banner: `/*! includes ${licence} */` },
  })),
);
const styles = ['node_modules/uplot/dist/uPlot.min.css', 'src/report/browser/page.css'];
writeFileSync(`${target}/page.css`, styles.map((file) => readFileSync(`${root}${file}`, 'utf8')).join('\n'));
