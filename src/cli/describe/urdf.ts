import { DOMParser, type Element } from '@xmldom/xmldom';
import { IqLearnError, messageOf } from '../../common/index.js';
import type { JointLimits } from '../../robot/index.js';

function parsed(text: string, source: string): Element {
  try {
    const problems: string[] = [];
    const parser = new DOMParser({ onError: (_, message) => problems.push(message) });
    const root = parser.parseFromString(text, 'text/xml').documentElement;
    if (root !== null && root.nodeName === 'robot' && problems.length === 0) return root;
    throw new Error(problems[0] ?? `<${root?.nodeName}>`);
  } catch (cause) {
    throw new IqLearnError('CORRUPT_DATA', `${source} is no URDF`, {
      found: messageOf(cause),
      expected: 'XML whose root is <robot>',
      ...(text.includes('xacro:') ? { remedy: 'expand it first: xacro robot.xacro > robot.urdf' } : {}),
      cause,
    });
  }
}

/** The elements of this name directly inside of another: the joints of a transmission are no joints of the robot. */
function childrenOf(element: Element, name: string): Element[] {
  return Array.from(element.childNodes).filter((node) => node.nodeName === name) as unknown as Element[];
}

/** An attribute as a number; NaN where it is not there or none. */
function numberOf(element: Element | undefined, attribute: string): number {
  const text = element?.getAttribute(attribute) ?? '';
  return text.trim() === '' ? Number.NaN : Number(text);
}

/** The joints of a URDF that can be commanded: revolute, continuous and prismatic ones that mimic no other. Throws CORRUPT_DATA. */
export function readUrdf(text: string, source: string): { name: string; joints: readonly JointLimits[] } {
  const robot = parsed(text, source);
  const joints = childrenOf(robot, 'joint').flatMap((joint): JointLimits[] => {
    const type = joint.getAttribute('type') ?? '';
    if (!['revolute', 'continuous', 'prismatic'].includes(type) || childrenOf(joint, 'mimic').length > 0) return [];
    const [limit] = childrenOf(joint, 'limit');
    const isEndless = type === 'continuous';
    const [low, high, velocity] = ['lower', 'upper', 'velocity'].map((name) => numberOf(limit, name));
    return [
      {
        name: joint.getAttribute('name') ?? '',
        low: isEndless || Number.isNaN(low) ? Number.NEGATIVE_INFINITY : low!,
        high: isEndless || Number.isNaN(high) ? Number.POSITIVE_INFINITY : high!,
        velocity: velocity! > 0 ? velocity! : null,
        unit: type === 'prismatic' ? 'm' : 'rad',
      },
    ];
  });
  return { name: robot.getAttribute('name') ?? 'robot', joints };
}
