import type { z } from 'zod';
import { nearest } from '../common/index.js';
import type { MessageTypeName } from '../messages/index.js';
import type { Path, SpecDocument } from './document.js';
import { generalPath, numericPaths, unitOfPath } from './kinds/paths.js';
import { isImage, typesOffering } from './kinds/registry.js';
import { checkRest, pastActions, withEarlier } from './parse-history.js';
import { type FeatureForm, featureForms, fieldsOf } from './schema.js';
import type { ActionFeatureSpec, FeatureSource, ObservationFeatureSpec, TopicSpec } from './types.js';
import { isUnit, unitRemedy, units } from './units.js';

const forms = Object.keys(featureForms) as FeatureForm[];
const { past_actions: pastForm } = featureForms;

/** Refuses a unit that is not one of {@link units}. */
export function checkUnit(document: SpecDocument, path: Path, unit: string): void {
  if (!isUnit(unit))
    throw document.refusal(path, {
      found: `the unit '${unit}'`,
      expected: `one of ${units.join(', ')}`,
      remedy: unitRemedy(unit),
    });
}

/** Refuses the second use of a name. */
export function checkUnique(document: SpecDocument, names: Set<string>, path: Path, name: string, what: string): void {
  if (names.has(name))
    throw document.refusal(path, { found: `'${name}' a second time`, expected: `${what} that differ` });
  names.add(name);
}

/** Expands the compact entries of `observation` to one feature per number, in order. */
export function expandObservation(
  document: SpecDocument,
  entries: readonly unknown[],
  topics: readonly TopicSpec[],
  action: readonly ActionFeatureSpec[],
): ObservationFeatureSpec[] {
  const features: { readonly path: Path; readonly feature: ObservationFeatureSpec }[] = [];
  const names = new Set<string>();
  entries.forEach((entry, index) => {
    const path = ['observation', index];
    const form = formOf(document, entry, path);
    if (form === 'image') return;
    const expanded =
      form === 'past_actions'
        ? pastActions(document, path, document.check(pastForm, entry, path, fieldsOf(pastForm)), action)
        : withEarlier(expandEntry(document, entry, form, path, topics), (entry as { readonly steps?: number }).steps);
    for (const feature of expanded) {
      checkUnit(document, [...path, 'unit'], feature.unit);
      if (!(Math.fround(feature.low) < Math.fround(feature.high)))
        throw document.refusal([...path, 'low'], {
          found: `low ${feature.low}, high ${feature.high} of ${feature.name}`,
          expected: 'low below high',
        });
      checkUnique(document, names, [...path, 'name'], feature.name, 'feature names');
      features.push({ path, feature });
    }
  });
  if (features.length === 0)
    throw document.refusal(['observation'], {
      found: 'images alone',
      expected: 'at least one feature that is a number',
    });
  checkRest(document, features, action);
  return features.map(({ feature }) => feature);
}

function formOf(document: SpecDocument, entry: unknown, path: Path): FeatureForm {
  const keys = typeof entry === 'object' && entry !== null ? Object.keys(entry) : [];
  const found = forms.filter((form) => keys.includes(form));
  if (found.length === 1) return found[0]!;
  const every = [...new Set(forms.flatMap((form) => fieldsOf(featureForms[form])))];
  const unknown = keys.find((key) => !every.includes(key));
  const meant = unknown === undefined ? undefined : nearest(unknown, every);
  throw document.refusal(unknown === undefined ? path : [...path, unknown], {
    found:
      found.length > 1 ? found.join(' and ') : unknown === undefined ? keys.join(', ') || 'nothing' : `'${unknown}'`,
    expected: `one of ${forms.join(', ')}`,
    ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
  });
}

/** A feature as written in the file, before defaults that follow from its source are added. */
interface Written {
  readonly name: string;
  readonly unit?: string | undefined;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
}

/** The unit that values of a source have, and the bound on their absolute value, where the source implies them. */
function impliedBy(source: FeatureSource): { readonly unit: string | undefined; readonly bound: number } {
  const bound = Number.POSITIVE_INFINITY;
  if (source.kind === 'sector') return { unit: 'm', bound };
  if (source.kind !== 'relative') return { unit: undefined, bound };
  return /_(sin|cos)$/.test(source.component) ? { unit: '1', bound: 1 } : { unit: 'm', bound };
}

/** The features of one entry, in the present. */
function expandEntry(
  document: SpecDocument,
  entry: unknown,
  form: Exclude<FeatureForm, 'past_actions' | 'image'>,
  path: Path,
  topics: readonly TopicSpec[],
): ObservationFeatureSpec[] {
  const read = <Schema extends z.ZodObject>(schema: Schema): z.output<Schema> =>
    document.check(schema, entry, path, fieldsOf(schema));
  const one = (raw: Written, source: FeatureSource): ObservationFeatureSpec => {
    const { name, low, high } = raw;
    const { unit, bound } = impliedBy(source);
    if (unit !== undefined && raw.unit !== undefined && raw.unit !== unit && isUnit(raw.unit))
      throw document.refusal([...path, 'unit'], { found: `the unit '${raw.unit}'`, expected: `'${unit}' for ${name}` });
    return { name, unit: raw.unit ?? unit ?? '1', low: low ?? -bound, high: high ?? bound, source };
  };
  const on = (key: string, topic: string, types: readonly MessageTypeName[]): TopicSpec =>
    checkTopic(document, [...path, key], topic, topics, types);

  switch (form) {
    case 'field': {
      const raw = read(featureForms.field);
      const { type } = on('topic', raw.topic, typesOffering('fields'));
      checkFieldPath(document, [...path, 'field'], raw.field, type);
      checkFieldUnit(document, [...path, 'unit'], raw.field, raw.unit);
      return [one(raw, { kind: 'field', topic: raw.topic, path: raw.field })];
    }
    case 'sectors': {
      const raw = read(featureForms.sectors);
      on('topic', raw.topic, typesOffering('scan'));
      if ((raw.high ?? 1) <= 0)
        throw document.refusal([...path, 'high'], {
          found: `high ${raw.high}`,
          expected: 'metres above 0: a range is none',
        });
      return Array.from({ length: raw.sectors }, (_, index) =>
        one(
          { ...raw, name: `${raw.name}_${index}` },
          { kind: 'sector', topic: raw.topic, index, sectors: raw.sectors },
        ),
      );
    }
    case 'relative_to': {
      const raw = read(featureForms.relative_to);
      const pose = on('topic', raw.topic, typesOffering('pose'));
      const reference = on('relative_to', raw.relative_to, typesOffering('pose'));
      checkPair(document, [...path, 'relative_to'], pose, reference);
      return [one(raw, { kind: 'relative', topic: raw.topic, reference: raw.relative_to, component: raw.component })];
    }
    case 'joints': {
      const raw = read(featureForms.joints);
      on('topic', raw.topic, typesOffering('joints'));
      const each = <T extends string | number>(key: string, value: T | readonly T[]): readonly T[] =>
        forEvery(document, [...path, key], value, raw.joints.length);
      if (raw.from !== undefined && raw.quantity !== 'velocity')
        throw document.refusal([...path, 'from'], {
          found: `from: position with the quantity ${raw.quantity}`,
          expected: 'quantity: velocity, the only one that is computed',
        });
      const derived = raw.from === undefined ? {} : { derived: true as const };
      const joints = new Set<string>();
      raw.joints.forEach((joint, i) => {
        checkUnique(document, joints, [...path, 'joints', i], joint, 'joints');
      });
      const names = each('names', raw.names ?? raw.joints.map((joint) => `${plainName(joint)}_${raw.quantity}`));
      const unitOf = each('unit', raw.unit);
      const low = each('low', raw.low ?? -Infinity);
      const high = each('high', raw.high ?? Infinity);
      return raw.joints.map((joint, i) =>
        one(
          { name: names[i]!, unit: unitOf[i]!, low: low[i]!, high: high[i]! },
          { kind: 'joint', topic: raw.topic, joint, quantity: raw.quantity, ...derived },
        ),
      );
    }
  }
}

/** Refuses two poses of which one cannot be seen from the other. */
function checkPair(document: SpecDocument, path: Path, pose: TopicSpec, reference: TopicSpec): void {
  if (pose.topic === reference.topic)
    throw document.refusal(path, { found: `${pose.topic} relative to itself`, expected: 'the topic of another pose' });
  if (pose.frameId !== reference.frameId)
    throw document.refusal(path, {
      found: `${pose.topic} in ${pose.frameId ?? 'no frame'}, ${reference.topic} in ${reference.frameId ?? 'no frame'}`,
      expected: 'the same frame_id in state for both: what is given in another frame is transformed into that one',
    });
}

/** A value of each joint: the same for all, or one for every joint. */
function forEvery<T extends string | number>(
  document: SpecDocument,
  path: Path,
  value: T | readonly T[],
  joints: number,
): readonly T[] {
  if (!Array.isArray(value)) return Array.from({ length: joints }, () => value as T);
  if (value.length !== joints)
    throw document.refusal(path, { found: `${value.length} for ${joints} joints`, expected: 'one for every joint' });
  return value;
}

/** The name of a joint as a feature may have it: other characters become _. */
function plainName(joint: string): string {
  return joint.replace(/[^\w.-]/g, '_').replace(/^(?=[^A-Za-z_])/, '_');
}

export function checkTopic(
  document: SpecDocument,
  path: Path,
  topic: string,
  topics: readonly TopicSpec[],
  types: readonly MessageTypeName[],
): TopicSpec {
  const names = topics.map((spec) => spec.topic);
  const spec = topics.find((candidate) => candidate.topic === topic);
  if (spec === undefined) {
    const meant = nearest(topic, names);
    throw document.refusal(path, {
      found: `the topic '${topic}'`,
      expected: `one of state: ${names.join(', ')}`,
      remedy: meant === undefined ? `add ${topic} to state` : `did you mean '${meant}'?`,
    });
  }
  if (isImage(spec.type) && !types.includes(spec.type))
    throw document.refusal(path, {
      found: `${topic} of type ${spec.type}`,
      expected: 'a topic of numbers',
      remedy: `observe the picture: { name: camera, topic: ${topic}, image: { height: 64, width: 64, channels: 3 } }`,
    });
  if (!types.includes(spec.type))
    throw document.refusal(path, {
      found: `${topic} of type ${spec.type}`,
      expected: `a topic of ${types.join(' or ')}`,
    });
  return spec;
}

/** Refuses a unit that the field cannot have: messages of ROS are in SI units (REP 103). */
export function checkFieldUnit(document: SpecDocument, path: Path, field: string, unit: string): void {
  const own = unitOfPath(field);
  if (own === undefined || own === unit || !isUnit(unit)) return;
  throw document.refusal(path, { found: `the unit '${unit}'`, expected: `'${own}', the unit of ${field} (REP 103)` });
}

/** Refuses a path that does not lead to a number of the message type. */
export function checkFieldPath(document: SpecDocument, path: Path, field: string, type: MessageTypeName): void {
  const paths = numericPaths(type);
  if (paths.includes(generalPath(field))) return;
  const meant = nearest(field, paths);
  throw document.refusal(path, {
    found: `'${field}'`,
    expected: `a number in ${type}: ${paths.join(', ')}`,
    ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
  });
}

/** Refuses a message type that is not one of `names`. */
export function knownType<Name extends MessageTypeName>(
  document: SpecDocument,
  path: readonly (string | number)[],
  type: string,
  names: readonly Name[],
): Name {
  const found = names.find((name) => name === type);
  if (found !== undefined) return found;
  const meant = names.find((name) => name.endsWith(`/${type}`)) ?? nearest(type, names);
  throw document.refusal(path, {
    found: `'${type}'`,
    expected: `one of ${names.join(', ')}`,
    ...(meant === undefined ? {} : { remedy: `did you mean '${meant}'?` }),
  });
}
