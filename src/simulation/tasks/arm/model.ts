/** Home posture, radians: tool pointing down in front of the base, elbow up. Also where redundancy is resolved to. */
export const armHome: readonly number[] = [0, 0.45, 0, 1.75, 0, Math.PI - 2.2, 0];

export const armJoints: readonly string[] = Array.from({ length: 7 }, (_, i) => `joint${i + 1}`);

/** Gains of the joint drives: N·m/rad and N·m·s/rad. */
export const armDrive = { stiffness: 800, damping: 60 } as const;

/** The puck and the pusher's tip, metres. */
export const armTools = { puckRadius: 0.06, puckHalfHeight: 0.03, tipRadius: 0.035, tipHeight: 0.042 } as const;

/**
 * A 7-DoF arm (yaw and pitch joints in turn, 0.8 m from shoulder to wrist) with a pushing rod, on a table with a puck.
 *
 * The table's top is the plane z = 0, the arm's base its origin. Only rod tip, puck and table touch: the servo keeps
 * everything else clear of them. Links carry their weight by themselves (gravcomp), as a real arm's drives do.
 */
export function armModel(): string {
  const { puckRadius, puckHalfHeight, tipRadius } = armTools;
  const link = (i: number, height: number, length: number, radius: number, mass: number, inner: string): string =>
    `<body name="link${i}" pos="0 0 ${height}" gravcomp="1">
      <joint name="joint${i}" axis="0 ${i % 2 === 0 ? '1 0' : '0 1'}"/>
      <geom name="link${i}" class="${i % 2 === 0 ? 'light' : 'dark'}" type="capsule" size="${radius}" fromto="0 0 0 0 0 ${length}" mass="${mass}"/>
      ${inner}
    </body>`;
  const flange = `<body name="link7" pos="0 0 0.08" gravcomp="1">
      <joint name="joint7" axis="0 0 1"/>
      <geom name="flange" class="dark" type="cylinder" size="0.04 0.02" mass="0.5"/>
      <geom name="rod" class="light" type="capsule" size="0.012" fromto="0 0 0.02 0 0 0.14" mass="0.1"/>
      <geom name="tip" class="solid" type="sphere" pos="0 0 0.16" size="${tipRadius}" mass="0.05" priority="1" friction="0.2 0.005 0.0001" rgba="0.15 0.15 0.16 1"/>
      <site name="tool" pos="0 0 0.16" quat="0 0 1 0"/>
    </body>`;
  const chain = [
    [1, 0.16, 0.17, 0.06, 3],
    [2, 0.17, 0.2, 0.055, 3],
    [3, 0.2, 0.2, 0.05, 2.5],
    [4, 0.2, 0.2, 0.05, 2],
    [5, 0.2, 0.2, 0.045, 2],
    [6, 0.2, 0.06, 0.04, 1.2],
  ] as const;
  const arm = chain.reduceRight(
    (inner, [i, height, length, radius, mass]) => link(i, height, length, radius, mass, inner),
    flange,
  );
  const { stiffness, damping } = armDrive;
  return `<mujoco model="arm">
  <compiler angle="radian"/>
  <option timestep="0.005" integrator="implicitfast" cone="elliptic"/>
  <size memory="1M"/>
  <default>
    <geom contype="0" conaffinity="0"/>
    <joint armature="0.1" damping="1"/>
    <position kp="${stiffness}" kv="${damping}" forcerange="-90 90"/>
    <default class="solid"><geom contype="1" conaffinity="1"/></default>
    <default class="light"><geom rgba="0.88 0.89 0.91 1"/></default>
    <default class="dark"><geom rgba="0.30 0.34 0.40 1"/></default>
  </default>
  <worldbody>
    <geom name="table" class="solid" type="plane" pos="0.4 0 0" size="0.6 0.6 0.1" friction="0.4 0.005 0.0001" rgba="0.78 0.70 0.58 1"/>
    <geom name="pedestal" class="dark" type="cylinder" pos="0 0 0.05" size="0.09 0.05"/>
    ${arm}
    <body name="puck" pos="0.45 0 ${puckHalfHeight}">
      <freejoint name="puck"/>
      <geom name="puck" class="solid" type="cylinder" size="${puckRadius} ${puckHalfHeight}" mass="0.3" friction="0.4 0.005 0.0001" rgba="0.85 0.33 0.22 1"/>
    </body>
  </worldbody>
  <actuator>
    ${armJoints.map((joint) => `<position name="${joint}" joint="${joint}"/>`).join('\n    ')}
  </actuator>
</mujoco>`;
}
