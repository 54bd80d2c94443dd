import type { DoubleBuffer, MjData, MjModel, MjWarningStatVec } from '@mujoco/mujoco';
import { IqLearnError, messageOf } from '../../common/index.js';
import type { SceneGeometry } from '../task.js';
import { idOf, namesOf } from './model-names.js';
import { abandonMujoco, loadMujoco, type Mujoco } from './mujoco.js';
import { RayCaster, type RayHit, type RayOptions } from './rays.js';
import { webAssembly } from './webassembly.js';

/** Beyond this MuJoCo calls a position or velocity bad (its mjMAXVAL). */
const LARGEST = 1e10;

const SHAPES: Readonly<Record<number, SceneGeometry['shape']>> = {
  0: 'plane',
  2: 'sphere',
  3: 'capsule',
  4: 'ellipsoid',
  5: 'cylinder',
  6: 'box',
};

/** Calls of step() from one look at MuJoCo's warnings (some µs) to the next. */
const CALLS_A_CHECK = 50;

/** The names of MuJoCo's mjtWarning, by its numbers. */
const WARNINGS = ['inertia', 'contactFull', 'constraintFull', 'badQpos', 'badQvel', 'badQacc', 'badCtrl'] as const;

export type PhysicsWarning = (typeof WARNINGS)[number];

/** The arrays of MjData that {@link Physics.data} hands out. */
export type DataField =
  | 'qpos'
  | 'qvel'
  | 'qacc'
  | 'ctrl'
  | 'xpos'
  | 'xquat'
  | 'xmat'
  | 'xipos'
  | 'subtree_com'
  | 'geom_xpos'
  | 'geom_xmat'
  | 'site_xpos'
  | 'site_xmat'
  | 'sensordata'
  | 'actuator_force'
  | 'qfrc_actuator'
  | 'qfrc_applied'
  | 'xfrc_applied'
  | 'mocap_pos'
  | 'mocap_quat';

/** Where a joint's numbers stand: 7 positions and 6 velocities for a free joint, 4 and 3 for a ball, else 1 and 1. */
export interface JointAddress {
  readonly id: number;
  /** First index in qpos. */
  readonly qpos: number;
  /** First index in qvel. */
  readonly qvel: number;
}

export interface Contact {
  readonly geom1: number;
  readonly geom2: number;
  /** Metres; negative is penetration. */
  readonly distance: number;
}

/**
 * One MuJoCo model and its state, with the traps of the WebAssembly binding covered: cached array views that
 * survive memory growth, names that fail with a suggestion, errors instead of silent resets, handles that are freed.
 *
 * Views from {@link qpos}, {@link data} and {@link model} are live: fetch them again after any call that may allocate.
 */
export class Physics {
  readonly #mj: Mujoco;
  readonly #model: MjModel;
  readonly #data: MjData;
  readonly #warning: MjWarningStatVec;
  readonly #dataViews = new Map<DataField, Float64Array>();
  readonly #modelViews = new Map<string, Float64Array>();
  readonly #stateKind: number;
  readonly #stateBuffer: DoubleBuffer;
  readonly #velocityBuffer: DoubleBuffer;
  readonly #rays: RayCaster;
  #qpos: Float64Array;
  #qvel: Float64Array;
  #ctrl: Float64Array;
  #closed = false;
  #calls = 0;

  /** Seconds a physics step. */
  readonly timestep: number;
  readonly nq: number;
  readonly nv: number;
  readonly nu: number;
  readonly nbody: number;
  readonly ngeom: number;
  /** Numbers in {@link getState}. */
  readonly stateSize: number;

  private constructor(mj: Mujoco, model: MjModel, data: MjData) {
    this.#mj = mj;
    this.#model = model;
    this.#data = data;
    // Without this MuJoCo answers a NaN by silently starting over; step() looks for it and throws instead.
    model.opt.disableflags |= mj.mjtDisableBit.mjDSBL_AUTORESET.value;
    this.#warning = this.#data.warning;
    this.timestep = model.opt.timestep;
    this.nq = model.nq;
    this.nv = model.nv;
    this.nu = model.nu;
    this.nbody = model.nbody;
    this.ngeom = model.ngeom;
    this.#stateKind = mj.mjtState.mjSTATE_INTEGRATION.value;
    this.stateSize = mj.mj_stateSize(model, this.#stateKind);
    this.#stateBuffer = new mj.DoubleBuffer(this.stateSize);
    this.#velocityBuffer = new mj.DoubleBuffer(6);
    this.#rays = new RayCaster(mj, model, data);
    this.#qpos = this.#data.qpos;
    this.#qvel = this.#data.qvel;
    this.#ctrl = this.#data.ctrl;
  }

  /**
   * Compiles a model. `xml` is MJCF; put `<size memory="1M"/>` into it, or every scene reserves some 10 MB.
   * Throws INVALID_ARGUMENT for MJCF that MuJoCo refuses, UNAVAILABLE when MuJoCo does not load.
   */
  static async load(xml: string): Promise<Physics> {
    const mj = await loadMujoco();
    let model: MjModel | undefined;
    let data: MjData | undefined;
    try {
      model = mj.MjModel.from_xml_string(xml);
      data = new mj.MjData(model);
      mj.mj_forward(model, data);
      return new Physics(mj, model, data);
    } catch (cause) {
      if (cause instanceof webAssembly.RuntimeError) {
        abandonMujoco(mj);
      } else {
        data?.delete();
        model?.delete();
      }
      throw new IqLearnError('INVALID_ARGUMENT', 'MuJoCo refuses the model', {
        found: messageOf(cause)
          .replace(/^MuJoCo Error: (Loading error: )?/, '')
          .trim()
          .replace(/\s*\n\s*/g, ', '),
        expected: 'valid MJCF with less than 100 nested bodies',
        remedy: 'correct the element that is named',
        cause,
      });
    }
  }

  /** Generalised positions, live. */
  get qpos(): Float64Array {
    if (this.#qpos.length === 0) this.#qpos = this.#data.qpos;
    return this.#qpos;
  }

  /** Generalised velocities, live. */
  get qvel(): Float64Array {
    if (this.#qvel.length === 0) this.#qvel = this.#data.qvel;
    return this.#qvel;
  }

  /** Actuator controls, live; MuJoCo clamps them to ctrlrange while stepping and leaves the array as set. */
  get ctrl(): Float64Array {
    if (this.#ctrl.length === 0) this.#ctrl = this.#data.ctrl;
    return this.#ctrl;
  }

  /** Simulated seconds. */
  get time(): number {
    return this.#data.time;
  }

  /** A live array of MjData, row-major (xpos 3, xquat 4 as w x y z, xmat 9 numbers an object). */
  data(field: DataField): Float64Array {
    let view = this.#dataViews.get(field);
    if (view === undefined || view.length === 0) {
      view = this.#data[field] as Float64Array;
      this.#dataViews.set(field, view);
    }
    return view;
  }

  /**
   * A live array of MjModel by its C name (body_mass, dof_armature, geom_friction…), of whichever typed array it is.
   * Changes to it are no part of {@link getState}. Throws NOT_FOUND.
   */
  model(field: string): Float64Array {
    let view = this.#modelViews.get(field);
    if (view === undefined || view.length === 0) {
      let value: unknown;
      try {
        value = (this.#model as unknown as Record<string, unknown>)[field];
      } catch {
        // The binding cannot hand out arrays of booleans.
      }
      if (!ArrayBuffer.isView(value))
        throw new IqLearnError('NOT_FOUND', 'the model has no such array', {
          found: `'${field}'`,
          expected: "an array of numbers of MuJoCo's mjModel",
        });
      view = value as Float64Array;
      this.#modelViews.set(field, view);
    }
    return view;
  }

  /** A number of the model's options by its C name (iterations, tolerance, integrator…). Throws NOT_FOUND. */
  option(name: string): number {
    const value = (this.#model.opt as unknown as Record<string, unknown>)[name];
    if (typeof value !== 'number')
      throw new IqLearnError('NOT_FOUND', 'the model has no such option', {
        found: `'${name}'`,
        expected: "a number of MuJoCo's mjOption",
      });
    return value;
  }

  /** m/s², x y z. */
  get gravity(): Float64Array {
    return (this.#model.opt.gravity as Float64Array).slice();
  }

  /** Throws NOT_FOUND with the nearest name, as the other lookups do. */
  joint(name: string): JointAddress {
    const id = idOf(this.#model, 'joint', name);
    return { id, qpos: this.model('jnt_qposadr')[id]!, qvel: this.model('jnt_dofadr')[id]! };
  }

  actuator(name: string): number {
    return idOf(this.#model, 'actuator', name);
  }

  body(name: string): number {
    return idOf(this.#model, 'body', name);
  }

  geom(name: string): number {
    return idOf(this.#model, 'geom', name);
  }

  site(name: string): number {
    return idOf(this.#model, 'site', name);
  }

  /** Where a sensor's numbers stand in `data('sensordata')`. */
  sensor(name: string): { readonly address: number; readonly dimension: number } {
    const id = idOf(this.#model, 'sensor', name);
    return { address: this.model('sensor_adr')[id]!, dimension: this.model('sensor_dim')[id]! };
  }

  /** The joints' names in the model's order ('' for an unnamed one). */
  jointNames(): string[] {
    return namesOf(this.#model, 'joint');
  }

  /** Back to the model's initial state, warnings cleared, kinematics computed. */
  reset(): void {
    this.#guard(() => {
      this.#mj.mj_resetData(this.#model, this.#data);
      this.#mj.mj_forward(this.#model, this.#data);
    });
  }

  /** Recomputes everything that follows from qpos, qvel and ctrl, without moving time. */
  forward(): void {
    this.#guard(() => this.#mj.mj_forward(this.#model, this.#data));
  }

  /**
   * Advances `n` physics steps. Throws INVALID_ARGUMENT for a non-finite control (nothing has changed then) and
   * INTERNAL when the state leaves the finite numbers; reset or setState after that. INTERNAL too when the model's
   * memory is too small for its contacts, which MuJoCo would silently drop (looked for now and then, as it takes time).
   */
  step(n = 1): void {
    const { ctrl } = this;
    for (let i = 0; i < ctrl.length; i++)
      if (!Number.isFinite(ctrl[i]))
        throw new IqLearnError('INVALID_ARGUMENT', 'a control is not finite', {
          found: `ctrl[${i}] = ${ctrl[i]}`,
          expected: 'finite numbers',
        });
    try {
      for (let i = 0; i < n; i++) this.#mj.mj_step(this.#model, this.#data);
    } catch (cause) {
      throw this.#failed(cause);
    }
    this.#checkFinite('qpos', this.qpos);
    this.#checkFinite('qvel', this.qvel);
    if (this.#calls++ % CALLS_A_CHECK === 0) this.#checkMemory();
  }

  /** The full integration state (time, qpos, qvel, act, warm start, ctrl, applied forces, mocap): replays bit for bit. */
  getState(): Float64Array {
    this.#mj.mj_getState(this.#model, this.#data, this.#stateBuffer, this.#stateKind);
    return (this.#stateBuffer.GetView() as Float64Array).slice();
  }

  /** Sets what {@link getState} gave and recomputes kinematics. Throws INVALID_ARGUMENT and changes nothing if it does not fit. */
  setState(state: Float64Array): void {
    if (state.length !== this.stateSize || !state.every(Number.isFinite))
      throw new IqLearnError('INVALID_ARGUMENT', 'not a state of this model', {
        found: `${state.length} numbers${state.every(Number.isFinite) ? '' : ', not all finite'}`,
        expected: `${this.stateSize} finite numbers, as getState gives`,
      });
    const restore = (): void =>
      this.#mj.mj_setState(this.#model, this.#data, state as unknown as number[], this.#stateKind);
    this.#guard(() => {
      restore();
      // The derived arrays follow from the state; the warm start, which forward() overwrites, is part of it.
      this.#mj.mj_forward(this.#model, this.#data);
      restore();
    });
  }

  /** One ray from `origin` (m, world frame) along `direction`. */
  castRay(origin: readonly number[], direction: readonly number[], options: RayOptions = {}): RayHit {
    const distances = new Float64Array(1);
    const geoms = new Int32Array(1);
    this.castRays(origin, direction, distances, geoms, options);
    return { distance: distances[0]!, geom: geoms[0]! };
  }

  /**
   * Many rays from one origin; much cheaper than one by one. `directions` holds 3 numbers a ray; `distances` gets one
   * number a ray, in lengths of its direction, +Infinity where nothing is hit; `geoms` the geom hit or −1.
   */
  castRays(
    origin: ArrayLike<number>,
    directions: ArrayLike<number>,
    distances: Float64Array | Float32Array,
    geoms?: Int32Array,
    options: RayOptions = {},
  ): void {
    this.#guard(() => this.#rays.cast(origin, directions, distances, geoms, options));
  }

  /** A body's velocity about its origin: angular (rad/s) x y z, then linear (m/s), in the body's own frame or the world's. */
  bodyVelocity(body: number, frame: 'body' | 'world' = 'body'): Float64Array {
    const kind = this.#mj.mjtObj.mjOBJ_XBODY.value;
    this.#mj.mj_objectVelocity(this.#model, this.#data, kind, body, this.#velocityBuffer, frame === 'body' ? 1 : 0);
    return (this.#velocityBuffer.GetView() as Float64Array).slice();
  }

  /** The number of contacts now; cheap. */
  get contactCount(): number {
    return this.#data.ncon;
  }

  /** The contacts now; about 20 µs, so ask {@link contactCount} first where that helps. */
  contacts(): Contact[] {
    const vector = this.#data.contact;
    try {
      return Array.from({ length: vector.size() }, (_, i) => {
        const contact = vector.get(i)!;
        try {
          return { geom1: contact.geom1, geom2: contact.geom2, distance: contact.dist };
        } finally {
          contact.delete();
        }
      });
    } finally {
      vector.delete();
    }
  }

  /** How often MuJoCo warned since the last reset. `contactFull` and `constraintFull` mean that `<size memory>` is too small. */
  warnings(): Partial<Record<PhysicsWarning, number>> {
    const counts: Partial<Record<PhysicsWarning, number>> = {};
    WARNINGS.forEach((name, i) => {
      const warning = this.#warning.get(i);
      if (warning !== undefined && warning.number > 0) counts[name] = warning.number;
      warning?.delete();
    });
    return counts;
  }

  /** What to draw, in the model's order, where it is now. Meshes and height fields are left out. */
  scene(): SceneGeometry[] {
    const [types, sizes, colours] = [this.model('geom_type'), this.model('geom_size'), this.model('geom_rgba')];
    const [positions, rotations] = [this.data('geom_xpos'), this.data('geom_xmat')];
    const names = namesOf(this.#model, 'geom');
    return names.flatMap((name, i) => {
      const shape = SHAPES[types[i]!];
      if (shape === undefined) return [];
      return {
        name: name === '' ? `geom${i}` : name,
        shape,
        size: [sizes[3 * i]!, sizes[3 * i + 1]!, sizes[3 * i + 2]!] as const,
        rgba: [colours[4 * i]!, colours[4 * i + 1]!, colours[4 * i + 2]!, colours[4 * i + 3]!] as const,
        position: [positions[3 * i]!, positions[3 * i + 1]!, positions[3 * i + 2]!] as const,
        rotation: Array.from(rotations.subarray(9 * i, 9 * i + 9)),
      };
    });
  }

  /** Frees the WebAssembly memory; the object is of no use after that. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      for (const handle of [this.#rays, this.#stateBuffer, this.#velocityBuffer, this.#data, this.#model])
        handle.delete();
    } catch (cause) {
      // A trap left a heap that is garbage as a whole; it goes when its last scene goes.
      if (!(cause instanceof webAssembly.RuntimeError)) throw cause;
    }
  }

  #checkFinite(name: string, values: Float64Array): void {
    for (let i = 0; i < values.length; i++)
      if (!(Math.abs(values[i]!) <= LARGEST))
        throw new IqLearnError('INTERNAL', 'the simulation left the finite numbers', {
          found: `${name}[${i}] = ${values[i]} at ${this.time} s`,
          expected: `magnitudes up to ${LARGEST}`,
          remedy: 'reset; shorten the timestep or lower the forces if it comes again',
        });
  }

  #checkMemory(): void {
    const { contactFull = 0, constraintFull = 0 } = this.warnings();
    if (contactFull + constraintFull > 0)
      throw new IqLearnError('INTERNAL', 'the model has too little memory for its contacts', {
        found: `${contactFull} times too many contacts, ${constraintFull} times too many constraints`,
        expected: 'none dropped',
        remedy: 'raise <size memory="…"/> in the model',
      });
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (cause instanceof IqLearnError) throw cause;
      throw this.#failed(cause);
    }
  }

  #failed(cause: unknown): IqLearnError {
    const trapped = cause instanceof webAssembly.RuntimeError;
    if (trapped) abandonMujoco(this.#mj);
    return new IqLearnError('INTERNAL', 'MuJoCo failed', {
      found: messageOf(cause),
      remedy: trapped ? 'load the scene again: this MuJoCo instance is not to be trusted any more' : 'reset the scene',
      cause,
    });
  }
}
