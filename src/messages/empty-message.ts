import { checkWireType, type WireTypeName, type WireTypes } from './codecs/codec.js';
import { innerType, numberTypes, unsupportedField } from './codecs/values.js';
import { fieldsOf, type MessageDefinitionField } from './definitions.js';

type Make = () => unknown;

const makers = new Map<string, Make>();

function scalarMaker(field: MessageDefinitionField): Make {
  const inner = innerType(field);
  if (inner !== null) return messageMaker(inner);
  if (field.type === 'bool') return () => false;
  if (field.type === 'string') return () => '';
  const number = numberTypes[field.type];
  if (number === undefined) throw unsupportedField(field);
  const zero = number.bits === 64 && number.kind !== 'float' ? 0n : 0;
  return () => zero;
}

function maker(field: MessageDefinitionField): Make {
  if (field.isArray !== true) {
    const { defaultValue } = field;
    return defaultValue === undefined ? scalarMaker(field) : () => defaultValue;
  }
  const length = field.arrayLength ?? 0;
  if (Array.isArray(field.defaultValue)) throw unsupportedField(field);
  const number = field.isComplex === true ? undefined : numberTypes[field.type];
  if (number !== undefined) return () => new number.array(length);
  const element = scalarMaker(field);
  return () => Array.from({ length }, element);
}

function messageMaker(type: string): Make {
  const known = makers.get(type);
  if (known !== undefined) return known;
  const members = fieldsOf(type).map((field) => [field.name, maker(field)] as const);
  const make: Make = () => {
    const message: Record<string, unknown> = {};
    for (const [name, makeField] of members) message[name] = makeField();
    return message;
  };
  makers.set(type, make);
  return make;
}

/**
 * A message with every field at its default: zero, false, '', empty, or what the definition says (a quaternion's w
 * is 1). Nothing in it is shared with another message.
 */
export function emptyMessage<Name extends WireTypeName>(type: Name): WireTypes[Name] {
  checkWireType(type);
  return messageMaker(type)() as WireTypes[Name];
}
