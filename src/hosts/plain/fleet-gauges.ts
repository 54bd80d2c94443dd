import type { Fleet, FleetRobot } from './fleet.js';
import type { Gauge } from './health.js';

/** The fleet for Prometheus. */
export function fleetGauges(fleet: Pick<Fleet, 'robots' | 'rollout'>): readonly Gauge[] {
  const { accepted, tried, refused, held } = fleet.rollout;
  const gauges: Gauge[] = [
    { name: 'iq_learn_fleet_policy_version', help: 'Policy that all robots have.', value: accepted ?? -1 },
    { name: 'iq_learn_fleet_tried_version', help: 'Policy that is tried; -1 where none is.', value: tried ?? -1 },
    { name: 'iq_learn_fleet_refused_policies', help: 'Policies that were taken back.', value: refused },
    { name: 'iq_learn_fleet_held', help: 'Whether a person has gone back to an earlier policy.', value: held ? 1 : 0 },
  ];
  const each = (name: string, help: string, value: (robot: FleetRobot) => number): void => {
    for (const robot of fleet.robots)
      gauges.push({ name: `iq_learn_robot_${name}`, help, labels: { robot: robot.robot }, value: value(robot) });
  };
  each('aside', 'Whether nothing is learned from the robot.', ({ aside }) => (aside === '' ? 0 : 1));
  each('admitted', 'Transitions that may be learned from.', ({ admitted }) => Number(admitted));
  each('left_out', 'Transitions that were left out.', ({ left_out }) => Number(left_out));
  each('sent_version', 'Policy that was sent last.', ({ policy_version }) => Number(policy_version));
  each('episodes', 'Whole episodes that a policy drove.', ({ episodes }) => Number(episodes));
  each('distance', 'Distance of the last episodes from the demonstrations.', ({ distance }) => distance);
  each('mean_return', 'Mean return of the last episodes.', ({ mean_return }) => mean_return);
  each('recordings_used', 'Recordings of the robot that are learned from.', (robot) => Number(robot.recordings_used));
  each('recordings_aside', 'Recordings of the robot that are not.', (robot) => Number(robot.recordings_aside));
  return gauges;
}
