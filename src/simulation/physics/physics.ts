import type { DoubleBuffer, MjData, MjModel, MjWarningStatVec } from '@mujoco/mujoco';
import { IqLearnError } from '../../common/index.js';
import type { SceneGeometry } from '../task.js';
import { checkControls, checkFinite, checkMemory, countWarnings, type PhysicsWarning } from './checks.js';
import { type CompiledModel, compileModel, isTrap, mujocoFailed } from './compile.js';
import { type Contact, contactsOf } from './contacts.js';
import type { DataField } from './data-fields.js';
import { IntegrationState } from './integration-state.js';
import { arrayOf, idOf, namesOf, optionOf } from './model-lookup.js';
import type { Mujoco } from './mujoco.js';
import { RayCaster, type RayHit, type RayOptions } from './rays.js';
import { sceneGeometry } from './scene-geometry.js';

/** step() looks at MuJoCo's warnings, which takes some µs, once in this many calls. */
const CALLS_A_CHECK = 50;

/**
 * Where a joint's numbers stand in the state. A free joint has 7 positions and 6 velocities, a ball joint 4 and 3, any
 * other joint 1 and 1.
 */
export interface JointAddress {
  readonly id: number;
  /** First index in qpos. */
  readonly qpos: number;
  /** First index in qvel. */
  readonly qvel: number;
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
  readonly #state: IntegrationState;
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

  private constructor({ mj, model, data }: CompiledModel) {
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
    this.#state = new IntegrationState(mj, model, data);
    this.stateSize = this.#state.size;
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
    return await compileModel(xml, (compiled) => new Physics(compiled));
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
      view = arrayOf(this.#model, field);
      this.#modelViews.set(field, view);
    }
    return view;
  }

  /** A number of the model's options by its C name (iterations, tolerance, integrator…). Throws NOT_FOUND. */
  option(name: string): number {
    return optionOf(this.#model, name);
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
    checkControls(this.ctrl);
    try {
      for (let i = 0; i < n; i++) this.#mj.mj_step(this.#model, this.#data);
    } catch (cause) {
      throw mujocoFailed(this.#mj, cause);
    }
    checkFinite('qpos', this.qpos, this.#data);
    checkFinite('qvel', this.qvel, this.#data);
    if (this.#calls++ % CALLS_A_CHECK === 0) checkMemory(this.#warning);
  }

  /** The full integration state (time, qpos, qvel, act, warm start, ctrl, applied forces, mocap): replays bit for bit. */
  getState(): Float64Array {
    return this.#state.read();
  }

  /** Sets what {@link getState} gave and recomputes kinematics. Throws INVALID_ARGUMENT and changes nothing if it does not fit. */
  setState(state: Float64Array): void {
    this.#state.check(state);
    this.#guard(() => this.#state.write(state));
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
    return contactsOf(this.#data);
  }

  /** How often MuJoCo warned since the last reset. `contactFull` and `constraintFull` mean that `<size memory>` is too small. */
  warnings(): Partial<Record<PhysicsWarning, number>> {
    return countWarnings(this.#warning);
  }

  /** What to draw, in the model's order, where it is now. Meshes and height fields are left out. */
  scene(): SceneGeometry[] {
    return sceneGeometry({
      names: namesOf(this.#model, 'geom'),
      types: this.model('geom_type'),
      sizes: this.model('geom_size'),
      colours: this.model('geom_rgba'),
      positions: this.data('geom_xpos'),
      rotations: this.data('geom_xmat'),
    });
  }

  /** Frees the WebAssembly memory; the object is of no use after that. A second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      for (const handle of [this.#rays, this.#state, this.#velocityBuffer, this.#data, this.#model]) handle.delete();
    } catch (cause) {
      // A trap left a heap that is garbage as a whole; it goes when its last scene goes.
      if (!isTrap(cause)) throw cause;
    }
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      if (cause instanceof IqLearnError) throw cause;
      throw mujocoFailed(this.#mj, cause);
    }
  }
}
