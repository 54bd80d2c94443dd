#!/usr/bin/env node
/**
 * Writes src/messages/generated/ from the definitions of messages and services:
 *
 *   msg/*.msg, srv/*.srv                            iq_learn's own; their comments become docstrings
 *   src/messages/interfaces/<package>/*.msg, *.srv  of other packages, where they are not among ROS 2's common ones
 *   src/messages/interfaces/common.txt              names of ROS 2's common message types
 *
 *   types.ts        a TypeScript interface for every type, and the maps of messages and services by their ROS 2 names
 *   definitions.ts  the text of every definition, so that nothing is read from the disk at run time
 *
 * and proto/iq_learn.proto and proto/iq_learn_link.proto, the same definitions as protobuf for other languages.
 *
 * `node scripts/generate-messages.mjs` writes the files; with `--check` it only says (exit code 1) which are out of date.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from '@foxglove/rosmsg';
import { ros2jazzy } from '@foxglove/rosmsg-msgs-common';

const root = new URL('../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const list = (folder, ending) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(ending))
    .sort();

/** Interfaces whose plain name would be taken for another thing, or is used twice. */
const renamed = {
  'std_msgs/String': 'StringMessage',
  'std_msgs/Float32': 'Float32Message',
  'std_msgs/Float64': 'Float64Message',
  'iq_learn/PolicyBundle': 'PolicyBundleMessage',
  'lifecycle_msgs/State': 'LifecycleState',
  'lifecycle_msgs/Transition': 'LifecycleTransition',
  'rcl_interfaces/Parameter': 'RosParameter',
  'rcl_interfaces/ParameterValue': 'RosParameterValue',
};

/** The definitions in a file: one for a message, request and response for a service. Names are 'package/Name'. */
function load(path, ownPackage) {
  const text = read(path);
  const [, file, kind] = /([^/]+)\.(msg|srv)$/.exec(path);
  if (kind === 'msg') return { messages: [{ name: `${ownPackage}/${file}`, text }], services: [] };
  const [request, response] = text.split(/^---\n/m);
  const name = `${ownPackage}/${file}`;
  return {
    messages: [
      { name: `${name}_Request`, text: request, ofService: true },
      { name: `${name}_Response`, text: response, ofService: true },
    ],
    services: [name],
  };
}

function loadAll() {
  const packages = readdirSync(new URL('src/messages/interfaces/', root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => [name, `src/messages/interfaces/${name}/`, `src/messages/interfaces/${name}/`]);
  const loaded = [...packages, ['iq_learn', 'msg/', 'srv/']].flatMap(([name, messages, services]) =>
    [...list(messages, '.msg').map((f) => messages + f), ...list(services, '.srv').map((f) => services + f)].map(
      (path) => load(path, name),
    ),
  );
  const common = read('src/messages/interfaces/common.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return {
    definitions: loaded.flatMap(({ messages }) => messages),
    services: loaded.flatMap(({ services }) => services).sort(),
    common,
  };
}

const parsed = (text) => (parse(text, { ros2: true, skipTypeFixup: true })[0] ?? { definitions: [] }).definitions;

/** The parser makes `time` of builtin_interfaces/Time; definitions that others read need the name. */
function printedType(field) {
  const base = { time: 'builtin_interfaces/Time', duration: 'builtin_interfaces/Duration' }[field.type] ?? field.type;
  const bounded = field.upperBound === undefined ? base : `${base}<=${field.upperBound}`;
  if (!field.isArray) return bounded;
  if (field.arrayLength !== undefined) return `${bounded}[${field.arrayLength}]`;
  return field.arrayUpperBound === undefined ? `${bounded}[]` : `${bounded}[<=${field.arrayUpperBound}]`;
}

/** The text of a common type, which comes without constants and comments. */
function printed(fields) {
  return fields
    .filter(({ isConstant }) => !isConstant)
    .map((field) => {
      const value = field.defaultValue === undefined ? '' : ` ${JSON.stringify(field.defaultValue)}`;
      return `${printedType(field)} ${field.name}${value}\n`;
    })
    .join('');
}

/** Adds the common types asked for, and those that any definition consists of. */
function complete(definitions, common) {
  const all = new Map(definitions.map((definition) => [definition.name, definition]));
  const add = (name, neededBy) => {
    if (all.has(name)) return;
    if (ros2jazzy[name] === undefined)
      throw new Error(`no definition of ${name}, which ${neededBy} needs: add it to src/messages/interfaces/`);
    all.set(name, { name, text: printed(ros2jazzy[name].definitions) });
  };
  for (const name of common) add(name, 'common.txt');
  // A Map that grows while it is walked is walked to its end.
  for (const { name, text } of all.values())
    for (const field of parsed(text)) {
      const type = printedType({ type: field.type });
      if (type.includes('/')) add(type, name);
    }
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Comment of the whole type, and of each field by its name. */
function comments(text) {
  const lines = text.split('\n');
  const head = [];
  for (const line of lines) {
    if (!line.startsWith('#')) break;
    head.push(line.replace(/^# ?/, ''));
  }
  const fields = new Map();
  for (const line of lines) {
    const match = /^[a-z]\S* (\w+)(?:\s+[^#=\s]\S*)?\s+# (.+)$/.exec(line);
    if (match !== null) fields.set(match[1], sentence(match[2]));
  }
  return { head, fields };
}

/** The comment behind a field as a sentence; a single letter is the name of a quantity and stays small. */
function sentence(comment) {
  const start = /^[a-z]\b/.test(comment) ? comment : comment[0].toUpperCase() + comment.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

const shortName = (name) => renamed[name] ?? name.split('/')[1];

function typeOf(field) {
  const base =
    {
      bool: 'boolean',
      string: 'string',
      int64: 'bigint',
      uint64: 'bigint',
      time: 'Time',
      duration: 'Duration',
    }[field.type] ?? (field.isComplex ? shortName(field.type) : 'number');
  if (!field.isArray) return base;
  if (base !== 'number' && base !== 'bigint') return `${base}[]`;
  if (field.type === 'uint8') return 'Uint8Array';
  const [, unsigned, kind, bits] = /^(u?)(int|float)(\d+)$/.exec(field.type);
  const array = `${bits === '64' && kind === 'int' ? 'Big' : ''}${unsigned ? 'Uint' : kind === 'int' ? 'Int' : 'Float'}${bits}Array`;
  return `${array} | ${base}[]`;
}

function docstring(lines, indent = '') {
  const safe = lines.map((line) => line.replaceAll('*/', '*\\/'));
  if (safe.length === 1) return `${indent}/** ${safe[0]} */\n`;
  return `${indent}/**\n${safe.map((line) => `${indent} *${line === '' ? '' : ` ${line}`}\n`).join('')}${indent} */\n`;
}

function rosName({ name }) {
  return name.replace('/', '/msg/');
}

function members(text, indent) {
  const { fields } = comments(text);
  return parsed(text)
    .filter(({ isConstant }) => !isConstant)
    .map((field) => {
      const comment = fields.get(field.name);
      return `${comment === undefined ? '' : docstring([comment], indent)}${indent}${field.name}: ${typeOf(field)};\n`;
    })
    .join('');
}

function printInterface(definition) {
  const { head } = comments(definition.text);
  return `${docstring([`${rosName(definition)}${head.length === 0 ? '' : ':'}`, ...head])}export interface ${shortName(definition.name)} {\n${members(definition.text, '  ')}}\n`;
}

/** The constants of a definition, as `episodeEvent.START`. */
function printConstants(definition) {
  const constants = parsed(definition.text).filter(({ isConstant }) => isConstant);
  if (constants.length === 0) return '';
  const name = shortName(definition.name);
  const body = constants.map((each) => `  ${each.name}: ${each.valueText},\n`).join('');
  return `\n${docstring([`The constants of ${rosName(definition)}.`])}export const ${name[0].toLowerCase()}${name.slice(1)} = {\n${body}} as const;\n`;
}

function printService(service, byName) {
  const half = (part) => {
    const { text } = byName.get(`${service}_${part}`);
    const body = members(text, '      ');
    return body === '' ? 'Record<string, never>' : `{\n${body}    }`;
  };
  const { head } = comments(byName.get(`${service}_Request`).text);
  const doc = head.length === 0 ? '' : docstring(head, '  ');
  return `${doc}  '${service.replace('/', '/srv/')}': {\n    request: ${half('Request')};\n    response: ${half('Response')};\n  };\n`;
}

const header = `// Generated by scripts/generate-messages.mjs from the definitions of messages and services: do not edit.
// It is long because there is one of each type.\n`;

function printTypes(all, roots, services) {
  const byName = new Map(all.map((definition) => [definition.name, definition]));
  const interfaces = all.filter(({ ofService }) => !ofService);
  const names = interfaces.map(({ name }) => shortName(name));
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`two types are called ${twice}: name one of them in \`renamed\``);
  return [
    header,
    ...interfaces.map((definition) => `\n${printInterface(definition)}${printConstants(definition)}`),
    '\n/** Messages by ROS 2 type name. */\nexport interface MessageTypes {\n',
    ...roots.map((definition) => `  '${rosName(definition)}': ${shortName(definition.name)};\n`),
    '}\nexport type MessageTypeName = keyof MessageTypes;\n',
    '\n/** Every message type that this package can encode and decode. */\n',
    'export const messageTypeNames: readonly MessageTypeName[] = [\n',
    ...roots.map((definition) => `  '${rosName(definition)}',\n`),
    '];\n',
    '\n/** Requests and responses of services by ROS 2 type name. */\nexport interface ServiceTypes {\n',
    ...services.map((service) => printService(service, byName)),
    '}\nexport type ServiceTypeName = keyof ServiceTypes;\n',
    '\n/** Every service type that this package can call and serve. */\n',
    'export const serviceTypeNames: readonly ServiceTypeName[] = [\n',
    ...services.map((service) => `  '${service.replace('/', '/srv/')}',\n`),
    '];\n',
  ].join('');
}

function printDefinitions(all) {
  const escaped = (text) => text.replace(/[\\`]|\$\{/g, '\\$&');
  return [
    header,
    "\n/** The text of every definition by 'package/Name'; a service has two, Name_Request and Name_Response. */\n",
    'export const definitions: Readonly<Record<string, string>> = {\n',
    ...all.map(({ name, text }) => `  '${name}': ${text === '' ? "''" : `\`${escaped(text)}\``},\n`),
    '};\n',
  ].join('');
}

const protoTypes = {
  string: 'string',
  bool: 'bool',
  float32: 'float',
  float64: 'double',
  int64: 'sint64',
  uint64: 'uint64',
  time: 'Time',
};

function protoField(field, place) {
  const { type, name, isArray } = field;
  if (isArray && type === 'uint8') return `  bytes ${name} = ${place};\n`;
  const small = /^(u?)int(8|16|32)$/.exec(type);
  const mapped = protoTypes[type] ?? (small === null ? type.split('/')[1] : small[1] === 'u' ? 'uint32' : 'sint32');
  return `  ${isArray ? 'repeated ' : ''}${mapped} ${name} = ${place};\n`;
}

/** One package's definitions as protobuf: a field's number is its place. What they are made of comes first. */
function printProto(all, package_, head) {
  const own = all.filter(({ name }) => name.startsWith(`${package_}/`));
  const needs = (name) => own.some(({ text }) => parsed(text).some(({ type }) => printedType({ type }) === name));
  const common = ['builtin_interfaces/Time', 'std_msgs/Header'].filter(
    (name) => needs(name) || (name.endsWith('/Time') && needs('std_msgs/Header')),
  );
  const message = ({ name, text }, comment) => {
    const fields = parsed(text).filter(({ isConstant }) => !isConstant);
    const body = fields.map((field, i) => protoField(field, i + 1)).join('');
    return `\n${comment}message ${name.split('/')[1].replace('_', '')} {\n${body}}\n`;
  };
  const byName = new Map(all.map((definition) => [definition.name, definition]));
  const services = own.filter(({ ofService }) => ofService);
  return [
    `// Generated by scripts/generate-messages.mjs: do not edit.\n//\n${head.map((line) => `// ${line}\n`).join('')}`,
    `syntax = "proto3";\npackage ${package_};\n`,
    ...common.map((name) => message(byName.get(name), `// ${name}\n`)),
    ...own.filter(({ ofService }) => !ofService).map((definition) => message(definition, '')),
    ...services.map((definition) => message(definition, '')),
  ].join('');
}

const ownHead = [
  'The interfaces of msg/ and srv/ as protobuf, for links without DDS. msg/ and srv/ are the source of truth and hold',
  'meanings, units and constants. The number of a field is its place: new fields are added at the end, and one that is',
  'given up keeps its place.',
];
const linkHead = [
  'What travels over the link between robots and learner beside iq_learn.proto, see docs/link.md. The source of truth is',
  'src/messages/interfaces/iq_learn_link/, which holds meanings and units.',
];

function generate() {
  const { definitions, services, common } = loadAll();
  const all = complete(definitions, common);
  const rootNames = new Set([...definitions.filter(({ ofService }) => !ofService).map(({ name }) => name), ...common]);
  const roots = all.filter(({ name }) => rootNames.has(name));
  return {
    'src/messages/generated/types.ts': printTypes(all, roots, services),
    'src/messages/generated/definitions.ts': printDefinitions(all),
    'proto/iq_learn.proto': printProto(all, 'iq_learn', ownHead),
    'proto/iq_learn_link.proto': printProto(all, 'iq_learn_link', linkHead),
  };
}

let stale = 0;
for (const [path, text] of Object.entries(generate())) {
  if (!process.argv.includes('--check')) {
    const file = new URL(path, root);
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, text);
    continue;
  }
  let found = '';
  try {
    found = read(path);
  } catch {
    // A file that is not there is out of date, too.
  }
  if (found === text) continue;
  stale += 1;
  console.error(`${fileURLToPath(new URL(path, root))} is out of date: run node scripts/generate-messages.mjs`);
}
process.exitCode = stale === 0 ? 0 : 1;
