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

// step() looks at MuJoCo's warnings, which takes some µs, once in this many calls.
const CALLS_A_CHECK = 50;

/**
 * Where a joint's numbers stand. A free joint has 7 positions and 6 velocities, a ball joint 4 and 3, others 1 and 1.
 */
export interface JointAddress {
  readonly id: number;
  /** First index in qpos. */
  readonly qpos: number;
  /** First index in qvel. */
  readonly qvel: number;
}

/**
 * One MuJoCo model and its state. It takes care of what is dangerous in the WebAssembly binding: views of MuJoCo's arrays
 * are made anew when its memory has grown, an unknown name is an error with a suggestion, a state of NaN is an error and
 * not a silent reset, and `close` frees every handle.
 *
 * The arrays from {@link qpos}, {@link data} and {@link model} are views of MuJoCo's memory, so writing to them changes
 * the state. Fetch them again after any call that may allocate memory.
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

  /** Length of a physics step, seconds. */
  readonly timestep: number;
  /** Sizes of the model by MuJoCo's names: nq positions, nv velocities, nu controls, and its bodies and geometries. */
  readonly nq: number;
  readonly nv: number;
  readonly nu: number;
  readonly nbody: number;
  readonly ngeom: number;
  /** Number of values in {@link getState}. */
  readonly stateSize: number;

  private constructor({ mj, model, data }: CompiledModel) {
    this.#mj = mj;
    this.#model = model;
    this.#data = data;
    // MuJoCo would otherwise reset the state silently when it finds a NaN; step() throws an error instead.
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
   * Compiles MJCF; put `<size memory="1M"/>` into it, or every scene reserves some 10 MB. Throws INVALID_ARGUMENT for
   * MJCF that MuJoCo refuses, UNAVAILABLE when MuJoCo does not load.
   */
  static load(xml: string): Promise<Physics> {
    return compileModel(xml, (compiled) => new Physics(compiled));
  }

  /** Generalised positions, nq values, a live view. Metres and radians; orientations of free joints as w x y z. */
  get qpos(): Float64Array {
    if (this.#qpos.length === 0) this.#qpos = this.#data.qpos;
    return this.#qpos;
  }

  /** Generalised velocities, nv values, a live view. m/s and rad/s. */
  get qvel(): Float64Array {
    if (this.#qvel.length === 0) this.#qvel = this.#data.qvel;
    return this.#qvel;
  }

  /** Controls of the actuators, nu values, a live view. A step uses them clamped to ctrlrange; the array stays as it is. */
  get ctrl(): Float64Array {
    if (this.#ctrl.length === 0) this.#ctrl = this.#data.ctrl;
    return this.#ctrl;
  }

  /** Simulated time since the reset, seconds. */
  get time(): number {
    return this.#data.time;
  }

  /** A live view of an array of MjData, row-major: for each object xpos has 3 values, xquat 4 (w x y z), xmat 9. */
  data(field: DataField): Float64Array {
    let view = this.#dataViews.get(field);
    if (view === undefined || view.length === 0) {
      view = this.#data[field] as Float64Array;
      this.#dataViews.set(field, view);
    }
    return view;
  }

  /**
   * A live view of an array of MjModel by its C name (body_mass, dof_armature, geom_friction, …). At run time it may be
   * another typed array than Float64Array. {@link getState} does not contain changes to it. Throws NOT_FOUND.
   */
  model(field: string): Float64Array {
    let view = this.#modelViews.get(field);
    if (view === undefined || view.length === 0) {
      view = arrayOf(this.#model, field);
      this.#modelViews.set(field, view);
    }
    return view;
  }

  /** A numeric option of the model by its C name (iterations, tolerance, integrator, …). Throws NOT_FOUND. */
  option(name: string): number {
    return optionOf(this.#model, name);
  }

  /** Gravity, m/s², as x y z in the world frame. */
  get gravity(): Float64Array {
    return (this.#model.opt.gravity as Float64Array).slice();
  }

  /** A joint by its name. This and the lookups below throw NOT_FOUND, with the nearest name, for an unknown one. */
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

  /** The first index of a sensor's values in `data('sensordata')`, and how many there are. */
  sensor(name: string): { readonly address: number; readonly dimension: number } {
    const id = idOf(this.#model, 'sensor', name);
    return { address: this.model('sensor_adr')[id]!, dimension: this.model('sensor_dim')[id]! };
  }

  /** The joints' names in the model's order ('' for an unnamed one). */
  jointNames(): string[] {
    return namesOf(this.#model, 'joint');
  }

  /** Sets the model's initial state, clears the warnings and computes the kinematics. */
  reset(): void {
    this.#guard(() => {
      this.#mj.mj_resetData(this.#model, this.#data);
      this.#mj.mj_forward(this.#model, this.#data);
    });
  }

  /** Recomputes everything that follows from qpos, qvel and ctrl; the time stays as it is. */
  forward(): void {
    this.#guard(() => this.#mj.mj_forward(this.#model, this.#data));
  }

  /**
   * Advances the simulation by `n` physics steps. Throws INVALID_ARGUMENT for a control that is not finite, and then
   * nothing has changed. Throws INTERNAL when the state is not finite any more; call reset or setState before the next
   * step. Throws INTERNAL too, though not at once, when MuJoCo drops contacts because the model's memory is too small.
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

  /** A copy of the full state, {@link stateSize} values. A simulation that continues from it repeats bit for bit. */
  getState(): Float64Array {
    return this.#state.read();
  }

  /** Sets a state from {@link getState}, recomputes the kinematics. Throws INVALID_ARGUMENT, changing nothing, for others. */
  setState(state: Float64Array): void {
    this.#state.check(state);
    this.#guard(() => this.#state.write(state));
  }

  /** Casts one ray from `origin` (metres, world frame) along `direction`. */
  castRay(origin: readonly number[], direction: readonly number[], options: RayOptions = {}): RayHit {
    const distances = new Float64Array(1);
    const geoms = new Int32Array(1);
    this.castRays(origin, direction, distances, geoms, options);
    return { distance: distances[0]!, geom: geoms[0]! };
  }

  /**
   * Casts n rays from one origin (metres, world frame), which is much faster than one at a time. `directions` is n × 3.
   * Writes to `distances` (n) how far each ray goes, in lengths of its direction, +Infinity where it hits nothing, and to
   * `geoms` (n) the id of the geometry that it hits, or −1.
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

  /** The number of contacts now. Reading it is fast. */
  get contactCount(): number {
    return this.#data.ncon;
  }

  /** The contacts now. Takes about 20 µs, so read {@link contactCount} first where none is likely. */
  contacts(): Contact[] {
    return contactsOf(this.#data);
  }

  /** Counts of MuJoCo's warnings since the last reset. contactFull or constraintFull: `<size memory>` is too small. */
  warnings(): Partial<Record<PhysicsWarning, number>> {
    return countWarnings(this.#warning);
  }

  /** The geometries to draw, where they are now, in the model's order. Meshes and height fields are left out. */
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

  /** Frees the WebAssembly memory. No other method may be called after that; a second `close` does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      for (const handle of [this.#rays, this.#state, this.#velocityBuffer, this.#data, this.#model]) handle.delete();
    } catch (cause) {
      // After a trap nothing can be freed one by one. The whole heap is collected when its last scene is.
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
