import type { RoverLayout } from './layout.js';

/** The base's dimensions that its controller and sensors need. Metres. */
export const roverBase = {
  wheelRadius: 0.05,
  /** Half the distance between the wheels' contact points. */
  halfTrack: 0.14,
  /** Height of base_link (the axle) at rest. */
  axleHeight: 0.0498,
  /** The range sensor above base_link. */
  lidarHeight: 0.17,
} as const;

/**
 * The rover as MJCF: a round chassis on two driven wheels and two casters, in a walled arena.
 *
 * Wheels are ellipsoids (MuJoCo's cylinders scrub when turning); casters slide, by a low friction that takes
 * precedence over the floor's. A contact sensor on the chassis, which touches nothing else, tells collisions.
 */
export function roverModel(layout: RoverLayout): string {
  const { wheelRadius, halfTrack, axleHeight } = roverBase;
  const half = layout.halfWidth;
  const height = layout.wallHeight / 2;
  const walls = [
    ['wall_east', half + 0.05, 0, 0.05, half + 0.1],
    ['wall_west', -half - 0.05, 0, 0.05, half + 0.1],
    ['wall_north', 0, half + 0.05, half, 0.05],
    ['wall_south', 0, -half - 0.05, half, 0.05],
  ]
    .map(
      ([name, x, y, hx, hy]) =>
        `<geom name="${name}" class="wall" pos="${x} ${y} ${height}" size="${hx} ${hy} ${height}"/>`,
    )
    .join('\n    ');
  const pillars = layout.pillars
    .map(
      (p, i) => `<geom name="pillar_${i}" class="pillar" pos="${p.x} ${p.y} ${height}" size="${p.radius} ${height}"/>`,
    )
    .join('\n    ');
  const blocks = layout.blocks
    .map(
      (b, i) =>
        `<geom name="block_${i}" class="block" pos="${b.x} ${b.y} ${height}" size="${b.halfX} ${b.halfY} ${height}"/>`,
    )
    .join('\n    ');
  const wheel = (name: string, y: number): string => `<body name="${name}" pos="0 ${y} 0">
        <joint name="${name}_joint" axis="0 1 0" armature="0.002" damping="0.002"/>
        <geom name="${name}" type="ellipsoid" size="${wheelRadius} 0.02 ${wheelRadius}" mass="0.3" friction="1.2 0.005 0.0001" rgba="0.12 0.12 0.13 1"/>
      </body>`;
  return `<mujoco model="rover">
  <compiler angle="radian"/>
  <option timestep="0.01" integrator="implicitfast" cone="elliptic"/>
  <size memory="1M"/>
  <default>
    <geom friction="0.8 0.005 0.0001"/>
    <default class="wall"><geom type="box" rgba="0.75 0.76 0.78 1"/></default>
    <default class="pillar"><geom type="cylinder" rgba="0.80 0.45 0.25 1"/></default>
    <default class="block"><geom type="box" rgba="0.55 0.42 0.62 1"/></default>
    <default class="caster"><geom type="sphere" size="0.02" mass="0.1" priority="1" friction="0.01 0.005 0.0001" rgba="0.5 0.5 0.5 1"/></default>
  </default>
  <worldbody>
    <geom name="floor" type="plane" size="${half} ${half} 0.1" rgba="0.93 0.93 0.91 1"/>
    ${walls}
    ${pillars}
    ${blocks}
    <body name="base_link" pos="0 0 ${axleHeight}">
      <freejoint name="base"/>
      <geom name="chassis" type="cylinder" pos="0 0 0.05" size="${layout.robotRadius} 0.05" mass="4" priority="2" friction="0.1 0.005 0.0001" rgba="0.16 0.38 0.66 1"/>
      <geom name="lidar" type="cylinder" pos="0 0 0.13" size="0.035 0.03" mass="0.1" contype="0" conaffinity="0" rgba="0.1 0.1 0.1 1"/>
      <geom name="nose" type="box" pos="0.13 0 0.105" size="0.04 0.012 0.006" mass="0.01" contype="0" conaffinity="0" rgba="0.95 0.8 0.2 1"/>
      <geom name="caster_front" class="caster" pos="0.13 0 -0.03"/>
      <geom name="caster_rear" class="caster" pos="-0.13 0 -0.03"/>
      ${wheel('wheel_left', halfTrack)}
      ${wheel('wheel_right', -halfTrack)}
    </body>
  </worldbody>
  <actuator>
    <velocity name="wheel_left" joint="wheel_left_joint" kv="0.6" forcerange="-2 2"/>
    <velocity name="wheel_right" joint="wheel_right_joint" kv="0.6" forcerange="-2 2"/>
  </actuator>
  <sensor>
    <contact name="bumper" geom1="chassis" data="found" num="1"/>
  </sensor>
</mujoco>`;
}
