import { IqLearnError, messageOf } from '../../common/index.js';
import { isForNode } from './names.js';
import type { Rcl, RclAddon, RclContext, RclNode, RclParameter, RclVerdict } from './rclnodejs.js';
import type { ParameterDeclaration, ParameterType, ParameterValue, ParameterVerdict } from './types.js';

// Constants of rcl_interfaces/msg/ParameterType.
const typeNumbers: Record<ParameterType, number> = {
  bool: 1,
  integer: 2,
  double: 3,
  string: 4,
  bool_array: 6,
  integer_array: 7,
  double_array: 8,
  string_array: 9,
};
const notSet = 0;
const typeNames = new Map(Object.entries(typeNumbers).map(([name, number]) => [number, name as ParameterType]));

export type ParameterCheck = (changes: Readonly<Record<string, ParameterValue>>) => ParameterVerdict;

interface Typed {
  readonly type: number;
  readonly value: unknown;
}

/** Converts a value of rclnodejs, integers to numbers. Undefined for types that are not used here (bytes, not set). */
function fromRcl({ type, value }: Typed): ParameterValue | undefined {
  if (!typeNames.has(type)) return undefined;
  const plain = (item: unknown): unknown => (typeof item === 'bigint' ? Number(item) : item);
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as unknown as ArrayLike<unknown>, plain) as unknown as ParameterValue;
  return plain(value) as ParameterValue;
}

function toRcl(type: ParameterType, value: ParameterValue): unknown {
  if (type === 'integer') return BigInt(value as number);
  if (type === 'integer_array') return (value as readonly number[]).map(BigInt);
  return Array.isArray(value) ? [...value] : value;
}

/** Takes an integer for a double, as in `rate:=10`, which ROS 2 itself would refuse. */
function isWidened(declared: ParameterType, found: number): boolean {
  return (
    (declared === 'double' && found === typeNumbers.integer) ||
    (declared === 'double_array' && found === typeNumbers.integer_array)
  );
}

/** Why a parameter may not have this value, or null. */
export function refusalOf(declaration: ParameterDeclaration, value: ParameterValue): string | null {
  const { range, choices, type } = declaration;
  for (const item of Array.isArray(value) ? value : [value]) {
    if (type.startsWith('integer') && !Number.isSafeInteger(item)) return `${item} is beyond 2^53`;
    if (typeof item === 'number' && range !== undefined) {
      const { from, to, step } = range;
      if (!(item >= from && item <= to)) return `${item} is not in ${from}…${to}`;
      const steps = step === undefined ? 0 : (item - from) / step;
      if (Math.abs(steps - Math.round(steps)) > 1e-6) return `${item} is not ${from} and a multiple of ${step}`;
    }
    if (choices !== undefined && !choices.includes(item as string))
      return `'${item}' is none of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  }
  return null;
}

/** The parameters of a node: declared with type, range and description, overridden by rcl's arguments, checked. */
export class Parameters {
  readonly #rcl: Rcl;
  readonly #node: RclNode;
  readonly #overrides: ReadonlyMap<string, Typed>;
  readonly #declared = new Map<string, ParameterDeclaration>();
  #check: ParameterCheck | undefined;
  #declaring = false;

  constructor(rcl: Rcl, addon: RclAddon, context: RclContext, node: RclNode) {
    this.#rcl = rcl;
    this.#node = node;
    this.#overrides = overridesFor(addon, context, node.getFullyQualifiedName());
    node.addPreSetParametersCallback((parameters) => parameters.map((parameter) => this.#widened(parameter)));
    node.addOnSetParametersCallback((parameters) => this.#verdict(parameters));
    const simulated = this.#overrides.get('use_sim_time');
    if (simulated !== undefined) {
      if (simulated.type !== typeNumbers.bool) throw wrongType('use_sim_time', 'bool', simulated);
      const { successful, reason } = node.setParameter(
        new rcl.Parameter('use_sim_time', typeNumbers.bool, simulated.value),
      );
      if (!successful) throw new IqLearnError('INTERNAL', 'use_sim_time cannot be set', { found: reason });
    }
  }

  declare(declaration: ParameterDeclaration): ParameterValue {
    const { name, type, description, readOnly = false } = declaration;
    if (this.#declared.has(name))
      throw new IqLearnError('CONFLICT', `the parameter ${name} is declared twice`, { remedy: 'declare it once' });
    const override = this.#overrides.get(name);
    if (override !== undefined && override.type !== typeNumbers[type] && !isWidened(type, override.type))
      throw wrongType(name, type, override);
    const value = override === undefined ? declaration.default : fromRcl(override)!;
    const refused = refusalOf(declaration, value);
    if (refused !== null)
      throw new IqLearnError('INVALID_CONFIG', `the parameter ${name} is wrong`, {
        found: refused,
        expected: description,
        remedy: 'change it on the command line (-p) or in the parameter file',
      });
    const descriptor = new this.#rcl.ParameterDescriptor(name, typeNumbers[type], description, readOnly);
    // rclnodejs omits the range from descriptions, and refuses without a reason: both are done here.
    descriptor.toMessage = () => describe(declaration);
    descriptor.validateParameter = () => {};
    this.#declared.set(name, declaration);
    this.#declaring = true;
    try {
      const parameter = new this.#rcl.Parameter(name, typeNumbers[type], toRcl(type, value));
      this.#node.declareParameter(parameter, descriptor, true);
    } catch (cause) {
      this.#declared.delete(name);
      throw new IqLearnError('INVALID_ARGUMENT', `the parameter ${name} cannot be declared`, {
        found: messageOf(cause),
        cause,
      });
    } finally {
      this.#declaring = false;
    }
    return value;
  }

  onSet(check: ParameterCheck): void {
    this.#check = check;
  }

  /** The overrides whose names begin with `prefix`, by the rest of the name. */
  overridesUnder(prefix: string): ReadonlyMap<string, ParameterValue> {
    const found = new Map<string, ParameterValue>();
    for (const [name, typed] of this.#overrides) {
      const value = name.startsWith(prefix) ? fromRcl(typed) : undefined;
      if (value !== undefined) found.set(name.slice(prefix.length), value);
    }
    return found;
  }

  /** Names of overrides that nobody has declared, without those that ROS 2 itself reads. */
  get undeclared(): string[] {
    const own = /^(use_sim_time$|start_type_description_service$|qos_overrides\.)/;
    return [...this.#overrides.keys()].filter((name) => !this.#declared.has(name) && !own.test(name));
  }

  has(name: string): boolean {
    return this.#declared.has(name);
  }

  #widened(parameter: RclParameter): RclParameter {
    const declared = this.#declared.get(parameter.name)?.type;
    if (declared === undefined || !isWidened(declared, parameter.type)) return parameter;
    return new this.#rcl.Parameter(parameter.name, typeNumbers[declared], fromRcl(parameter));
  }

  #verdict(parameters: readonly RclParameter[]): RclVerdict {
    if (this.#declaring) return { successful: true, reason: '' };
    const changes: Record<string, ParameterValue> = {};
    for (const parameter of parameters) {
      const declaration = this.#declared.get(parameter.name);
      if (declaration === undefined) continue; // use_sim_time, which rclnodejs declares itself
      const { name, type } = declaration;
      if (parameter.type !== typeNumbers[type]) {
        const found = parameter.type === notSet ? 'nothing' : (typeNames.get(parameter.type) ?? 'bytes');
        return { successful: false, reason: `${name} is a ${type}, not ${found}` };
      }
      const value = fromRcl(parameter)!;
      const reason = refusalOf(declaration, value);
      if (reason !== null) return { successful: false, reason: `${name}: ${reason}` };
      changes[name] = value;
    }
    if (this.#check === undefined || Object.keys(changes).length === 0) return { successful: true, reason: '' };
    try {
      const { ok, reason } = this.#check(changes);
      return { successful: ok, reason };
    } catch (error) {
      return { successful: false, reason: messageOf(error) };
    }
  }
}

function wrongType(name: string, type: ParameterType, found: Typed): IqLearnError {
  return new IqLearnError('INVALID_CONFIG', `the parameter ${name} has the wrong type`, {
    found: `${typeNames.get(found.type) ?? 'bytes'} ${JSON.stringify(fromRcl(found))}`,
    expected: type,
    remedy: 'change it on the command line (-p) or in the parameter file',
  });
}

/** A rcl_interfaces/msg/ParameterDescriptor. */
function describe({ name, type, description, range, choices, readOnly = false }: ParameterDeclaration): object {
  const message = {
    name,
    type: typeNumbers[type],
    description,
    additional_constraints: choices === undefined ? '' : `one of ${choices.join(', ')}`,
    read_only: readOnly,
  };
  if (range === undefined) return message;
  const { from, to, step = 0 } = range;
  return type.startsWith('integer')
    ? { ...message, integer_range: [{ from_value: BigInt(from), to_value: BigInt(to), step: BigInt(step) }] }
    : { ...message, floating_point_range: [{ from_value: from, to_value: to, step }] };
}

/** Later overrides take precedence over earlier ones, as in rclcpp. */
function overridesFor(addon: RclAddon, context: RclContext, fullName: string): Map<string, Typed> {
  const overrides = new Map<string, Typed>();
  for (const { name, parameters } of addon.getParameterOverrides(context.handle) ?? [])
    if (isForNode(name, fullName)) for (const parameter of parameters) overrides.set(parameter.name, parameter);
  return overrides;
}
