import type { MessageTypeName } from '../../messages/index.js';
import type { ActionFeatureSpec } from '../types.js';
import type { JointCommand } from './message-kind.js';

/** 'control_msgs/msg/JointJog' → 'JointJog', as people call it. */
export function shortTypeName(type: MessageTypeName): string {
  return type.slice(type.lastIndexOf('/') + 1);
}

/** Whether a command of joints can set everything that an action sets. */
export function carriesAction(command: JointCommand, action: readonly ActionFeatureSpec[]): boolean {
  const quantities = new Set(action.map(({ quantity }) => quantity));
  if (command.oneQuantity && quantities.size > 1) return false;
  return [...quantities].every((each) => (each === undefined ? command.anyUnit : command.quantities.includes(each)));
}

/** What the action must be so that {@link carriesAction} holds, for an error. */
export function carriedQuantities(command: JointCommand): string {
  const rule = command.oneQuantity ? 'one quantity for all joints' : 'quantity in every entry of action';
  return `${rule}: ${command.quantities.join(' or ')}`;
}

/** Whether a person may move everything that an action sets by jogs, relative to where it is. */
export function jogsAction(command: JointCommand, action: readonly ActionFeatureSpec[]): boolean {
  return (
    command.jog !== undefined && action.every(({ quantity }) => quantity === 'position' || quantity === 'velocity')
  );
}
