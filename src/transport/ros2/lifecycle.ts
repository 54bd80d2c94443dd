import { IqLearnError, messageOf } from '../../common/index.js';
import type { Logger } from '../../platform/index.js';
import type { ChangeStateRequest, RclLifecycleNode, RclResponse, RclTransition } from './rclnodejs.js';
import type { LifecycleCallbacks, LifecycleStateName } from './types.js';

// Constants of lifecycle_msgs/msg/Transition.
const success = 97;
const failure = 98;
const error = 99;

const primary = new Set<string>(['unconfigured', 'inactive', 'active', 'finalized'] satisfies LifecycleStateName[]);

/** Connects ROS 2's lifecycle services with a node's callbacks. */
export class Lifecycle {
  readonly #node: RclLifecycleNode;
  readonly #logger: Logger;
  #last = success;
  #from: LifecycleStateName = 'unconfigured';

  constructor(node: RclLifecycleNode, logger: Logger) {
    this.#node = node;
    this.#logger = logger;
    // rclnodejs throws in the service's handler if the transition is not possible in the present state.
    node._onChangeState = (request, response) => this.#changeState(request, response);
    // rclnodejs sends fields under other names, so the start and goal of each transition would arrive empty.
    node._onGetAvailableTransitions = (_request, response) => response.send(transitionsOf(node.availableTransitions));
    // rcl creates this service too, but rclnodejs does not answer it: `ros2 lifecycle list -a` would wait for ever.
    node.createService(
      'lifecycle_msgs/srv/GetAvailableTransitions',
      '~/get_transition_graph',
      {},
      (_request, response) => response.send(transitionsOf(node.transitions)),
    );
  }

  /** The primary state; during a transition, the one in which it began. */
  get state(): LifecycleStateName {
    const { label } = this.#node.currentState;
    return primary.has(label) ? (label as LifecycleStateName) : this.#from;
  }

  manage(callbacks: LifecycleCallbacks): void {
    const node = this.#node;
    // The node undoes a configure or activate that failed, so it may be tried again.
    node.registerOnConfigure(() => this.#run('configure', callbacks.configure, failure));
    node.registerOnActivate(() => this.#run('activate', callbacks.activate, failure));
    node.registerOnDeactivate(() => this.#run('deactivate', callbacks.deactivate, error));
    node.registerOnCleanup(() => this.#run('cleanup', callbacks.cleanup, error));
    node.registerOnShutdown(() => this.#run('shutdown', callbacks.shutdown, error));
    node.registerOnError(() => this.#run('error', callbacks.error, failure));
  }

  #run(name: string, callback: () => boolean, ifThrown: number): number {
    let result: number;
    try {
      result = callback() ? success : failure;
      // A callback that returns false has logged the reason itself.
      if (result === failure) this.#logger.debug(`${name} is refused by the node`);
    } catch (cause) {
      result = ifThrown;
      this.#logger.error(
        `${name} failed: ${messageOf(cause)}`,
        cause instanceof IqLearnError ? { code: cause.code } : {},
      );
    }
    // The response is about the transition that was requested, not about how its error was handled.
    if (name !== 'error') this.#last = result;
    return result;
  }

  /** Makes a transition by its label (or number). False if it is refused or fails. */
  request(label: string, id = -1): boolean {
    const possible = this.#node.availableTransitions.map((available) => available.transition);
    const wanted = possible.find((known) => (label === '' ? known.id === id : known.label === label));
    if (wanted === undefined) {
      const names = possible.map((known) => known.label).join(', ');
      this.#logger.warn(
        `the lifecycle transition ${label || id} is refused: the node is ${this.state}; possible now: ${names || 'none'}`,
      );
      return false;
    }
    this.#last = success;
    this.#from = this.state;
    try {
      this.#node._changeState(wanted.id);
    } catch (cause) {
      this.#last = error;
      this.#logger.error(`the lifecycle transition ${wanted.label} failed: ${messageOf(cause)}`);
    }
    return this.#last === success;
  }

  #changeState({ transition }: ChangeStateRequest, response: RclResponse): void {
    response.send({ success: this.request(transition.label, transition.id) });
  }
}

/** The response of lifecycle_msgs/srv/GetAvailableTransitions. */
function transitionsOf(transitions: readonly RclTransition[]): object {
  return {
    available_transitions: transitions.map(({ transition, startState, goalState }) => ({
      transition,
      start_state: startState,
      goal_state: goalState,
    })),
  };
}
