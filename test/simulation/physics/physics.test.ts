import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Physics } from '#src/simulation/index.js';
import { abandonMujoco, loadMujoco } from '#src/simulation/physics/mujoco.js';

const SCENE = `<mujoco><size memory="1M"/><worldbody>
  <geom name="floor" type="plane" size="5 5 1"/>
  <geom name="wall" type="box" size=".1 .2 .3" pos="2 0 .3"/>
  <body name="ball" pos="0 0 1"><freejoint name="free"/><geom name="shell" size=".1"/></body>
  <body name="door" pos="-1 0 .5"><joint name="hinge" axis="0 0 1" damping="1"/><geom type="box" size=".2 .02 .1"/></body>
</worldbody><actuator><motor name="opener" joint="hinge"/></actuator></mujoco>`;

describe('Physics', () => {
  let physics: Physics;
  beforeAll(async () => {
    physics = await Physics.load(SCENE);
  });
  afterAll(() => physics.close());

  it('finds objects by name and proposes the nearest name', () => {
    expect(physics.joint('hinge')).toEqual({ id: 1, qpos: 7, qvel: 6 });
    expect(physics.actuator('opener')).toBe(0);
    expect(physics.body('door')).toBe(2);
    expect(() => physics.joint('hing')).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', remedy: "did you mean 'hinge'?" }),
    );
    // An unnamed geom has no name to be found by, not even the empty one.
    expect(() => physics.geom('')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(() => physics.model('body_weight')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  it('refuses bad MJCF with what MuJoCo says, and goes on working', async () => {
    await expect(Physics.load('<mujoco><worldbody><body><geom size="1 1"')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(Physics.load('<mujoco><worldbdy/></mujoco>')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      found: expect.stringContaining("'worldbdy'"),
    });
    physics.step();
  });

  it('replays bit for bit from a state', () => {
    physics.reset();
    physics.ctrl[0] = 0.3;
    physics.step(240);
    const state = physics.getState();
    physics.step(200);
    const end = physics.getState();
    physics.reset();
    physics.step(7);
    physics.setState(state);
    expect(physics.getState()).toEqual(state);
    physics.step(200);
    expect(physics.getState()).toEqual(end);
  });

  it('refuses a foreign state and a control that is not finite, and changes nothing', () => {
    physics.reset();
    const before = physics.getState();
    expect(() => physics.setState(before.subarray(1))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => physics.setState(before.map(() => Number.NaN))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(physics.getState()).toEqual(before);
    physics.ctrl[0] = Number.NaN;
    expect(() => physics.step()).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(physics.time).toBe(0);
    physics.ctrl[0] = 0;
  });

  it.each([Number.NaN, 1e300])('says that the state left the finite numbers (%d) instead of starting over', (bad) => {
    physics.reset();
    physics.step(10);
    physics.qvel[0] = bad;
    expect(() => physics.step(3)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    physics.reset();
    physics.step(10);
    expect(physics.time).toBeCloseTo(0.02, 12);
  });

  it('casts rays, one and many, with the sensor’s own body left out', () => {
    physics.reset();
    expect(physics.castRay([0, 0, 0.3], [1, 0, 0])).toEqual({
      distance: expect.closeTo(1.9, 12),
      geom: physics.geom('wall'),
    });
    expect(physics.castRay([0, 0, 0.3], [0, 1, 0])).toEqual({ distance: Number.POSITIVE_INFINITY, geom: -1 });
    expect(physics.castRay([0, 0, 0.3], [0, 0, -1]).distance).toBeCloseTo(0.3, 12);
    // From inside the ball: its own shell, unless left out.
    expect(physics.castRay([0, 0, 1], [0, 0, -1]).distance).toBeCloseTo(0.1, 12);
    const distances = new Float32Array(3);
    const geoms = new Int32Array(3);
    const options = { excludeBody: physics.body('ball') };
    physics.castRays([0, 0, 1], [0, 0, -1, 0, 0, 1, 0, 1, 0], distances, geoms, options);
    expect(distances).toEqual(Float32Array.of(1, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY));
    expect(geoms).toEqual(Int32Array.of(0, -1, -1));
    expect(() => physics.castRays([0, 0, 1], [0, 0], distances)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('tells contacts, velocities and the scene to draw', () => {
    physics.reset();
    expect(physics.contacts()).toEqual([]);
    physics.qvel[2] = -1;
    physics.qvel[5] = 2;
    physics.forward();
    expect(Array.from(physics.bodyVelocity(physics.body('ball')))).toEqual([0, 0, 2, 0, 0, -1]);
    physics.step(600);
    expect(physics.contactCount).toBe(1);
    expect(physics.contacts()[0]).toMatchObject({ geom1: physics.geom('floor'), geom2: physics.geom('shell') });
    expect(physics.warnings()).toEqual({});
    const ball = physics.scene().find(({ name }) => name === 'shell')!;
    expect(ball).toMatchObject({ shape: 'sphere', rgba: [0.5, 0.5, 0.5, 1] });
    expect(ball.size[0]).toBe(0.1);
    expect(ball.position[2]).toBeCloseTo(0.1, 2);
    expect(physics.scene().map(({ name }) => name)).toEqual(['floor', 'wall', 'shell', 'geom3']);
  });

  it('says that contacts were dropped for lack of memory', async () => {
    const balls = Array.from(
      { length: 60 },
      (_, i) => `<body pos="${(i % 8) * 0.15} ${(i >> 3) * 0.15} .1"><freejoint/><geom size=".1"/></body>`,
    ).join('');
    const scene = (memory: string) =>
      Physics.load(
        `<mujoco><size memory="${memory}"/><worldbody><geom type="plane" size="5 5 1"/>${balls}</worldbody></mujoco>`,
      );
    const tight = await scene('100K');
    expect(() => {
      for (let i = 0; i < 60; i++) tight.step();
    }).toThrow(expect.objectContaining({ code: 'INTERNAL', remedy: expect.stringContaining('memory') }));
    expect(tight.warnings().contactFull).toBeGreaterThan(0);
    tight.close();
    const roomy = await scene('1M');
    for (let i = 0; i < 60; i++) roomy.step();
    expect(roomy.warnings()).toEqual({});
    roomy.close();
  });

  it('keeps its views valid when other scenes make the memory grow', async () => {
    physics.reset();
    physics.step(5);
    const height = physics.qpos[2];
    const buffer = physics.qpos.buffer;
    const others: Physics[] = [];
    while (physics.qpos.buffer === buffer && others.length < 40)
      others.push(await Physics.load(SCENE.replace('"1M"', '"16M"')));
    expect(physics.qpos.buffer).not.toBe(buffer);
    expect(physics.qpos[2]).toBe(height);
    expect(physics.data('xpos').length).toBe(9);
    physics.step();
    expect(physics.qpos[2]).toBeLessThan(height!);
    for (const other of others) other.close();
  });

  it('survives a model that overflows the WebAssembly stack: a fresh MuJoCo takes over', async () => {
    const before = await loadMujoco();
    const nested = `${'<body><joint/><geom size="1"/>'.repeat(400)}${'</body>'.repeat(400)}`;
    await expect(Physics.load(`<mujoco><worldbody>${nested}</worldbody></mujoco>`)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await loadMujoco()).not.toBe(before);
    const fresh = await Physics.load(SCENE);
    fresh.step(10);
    expect(fresh.time).toBeCloseTo(0.02, 12);
    fresh.close();
  });

  it('gives the memory of closed scenes back', async () => {
    abandonMujoco(await loadMujoco()); // a heap of its own for this count
    const scene = await Physics.load(SCENE);
    for (let i = 0; i < 20; i++) (await Physics.load(SCENE)).close();
    const bytes = scene.qpos.buffer.byteLength;
    for (let i = 0; i < 180; i++) {
      const other = await Physics.load(SCENE);
      other.step();
      other.contacts();
      other.close();
      other.close();
    }
    expect(scene.qpos.buffer.byteLength).toBe(bytes);
    scene.close();
  });
});
