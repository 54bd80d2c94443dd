/**
 * Types of the part of rclnodejs 2.2 that is used here. The package is optional, and its own types would need it to be
 * installed. Names that begin with an underscore are private to it: scripts/ros/rclnodejs pins the version that works.
 */
export interface RclNode {
  readonly handle: unknown;
  name(): string;
  namespace(): string;
  getFullyQualifiedName(): string;
  spin(timeoutMs: number): void;
  stop(): void;
  destroy(): void;
  syncHandles(): void;
  execute(handles: unknown[]): void;
  getClock(): RclClock;
  createPublisher(type: RclTypeClass | string, topic: string, options: RclEntityOptions): RclPublisher;
  destroyPublisher(publisher: RclPublisher): void;
  createSubscription(
    type: RclTypeClass | string,
    topic: string,
    options: RclEntityOptions,
    callback: (message: Buffer) => void,
  ): RclSubscription;
  destroySubscription(subscription: RclSubscription): void;
  createService(
    type: string,
    name: string,
    options: object,
    callback: (request: object, response: RclResponse) => void,
  ): RclService;
  destroyService(service: RclService): void;
  createClient(type: string, name: string, options: object): RclClient;
  destroyClient(client: RclClient): void;
  createGuardCondition(callback: () => void): { trigger(): void };
  resolveTopicName(topic: string): string;
  resolveServiceName(service: string): string;
  getPublishersInfoByTopic(topic: string, noDemangle?: boolean): RclEndpoint[];
  getSubscriptionsInfoByTopic(topic: string, noDemangle?: boolean): RclEndpoint[];
  getServiceNamesAndTypes(): { readonly name: string; readonly types: readonly string[] }[];
  getTopicNamesAndTypes(): { readonly name: string; readonly types: readonly string[] }[];
  countServices(name: string): number;
  getNodeNamesAndNamespaces(): { readonly name: string; readonly namespace: string }[];
  getServiceNamesAndTypesByNode(node: string, namespace: string): { readonly name: string }[];
  declareParameter(parameter: RclParameter, descriptor: RclDescriptor, ignoreOverride: boolean): RclParameter;
  setParameter(parameter: RclParameter): RclVerdict;
  addPreSetParametersCallback(callback: (parameters: RclParameter[]) => RclParameter[]): void;
  addOnSetParametersCallback(callback: (parameters: RclParameter[]) => RclVerdict): void;
}

export interface RclVerdict {
  readonly successful: boolean;
  readonly reason: string;
}

interface Labelled {
  readonly id: number;
  readonly label: string;
}

export interface RclTransition {
  readonly transition: Labelled;
  readonly startState: Labelled;
  readonly goalState: Labelled;
}

export interface RclLifecycleNode extends RclNode {
  readonly currentState: Labelled;
  readonly transitions: readonly RclTransition[];
  readonly availableTransitions: readonly RclTransition[];
  registerOnConfigure(callback: () => number): void;
  registerOnActivate(callback: () => number): void;
  registerOnDeactivate(callback: () => number): void;
  registerOnCleanup(callback: () => number): void;
  registerOnShutdown(callback: () => number): void;
  registerOnError(callback: () => number): void;
  _onChangeState(request: ChangeStateRequest, response: RclResponse): void;
  _onGetAvailableTransitions(request: object, response: RclResponse): void;
  _changeState(transition: number | string): unknown;
}

export interface ChangeStateRequest {
  readonly transition: Labelled;
}

export interface RclTypeClass {
  (): void;
  type(): { readonly pkgName: string; readonly subFolder: string; readonly interfaceName: string };
}

export interface RclEntityOptions {
  readonly qos?: unknown;
  readonly isRaw?: boolean;
}

export interface RclPublisher {
  readonly handle: unknown;
  readonly topic: string;
  publish(message: Buffer | object): void;
  waitForAllAcked(timeoutNs: bigint): boolean;
}

export interface RclSubscription {
  readonly topic: string;
}

export interface RclService {
  readonly serviceName: string;
}

export interface RclResponse {
  /** A response with every field at its default. */
  readonly template: object;
  send(response: object): void;
}

export interface RclClient {
  sendRequestAsync(request: object, options: { readonly signal: AbortSignal }): Promise<object>;
  isServiceServerAvailable(): boolean;
}

export interface RclClock {
  readonly isRosTimeActive: boolean;
  now(): { readonly nanoseconds: bigint };
}

export interface RclEndpoint {
  readonly node_name: string;
  readonly node_namespace: string;
  readonly topic_type: string;
  readonly endpoint_gid: readonly number[];
  readonly qos_profile: { readonly reliability: number; readonly durability: number; readonly depth: number };
}

export interface RclContext {
  readonly handle: unknown;
  shutdown(): void;
  tryShutdown(): void;
}

export interface RclParameter {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** Both methods are replaced. */
export interface RclDescriptor {
  toMessage: () => object;
  validateParameter: () => void;
}

type NodeClass<Node> = new (name: string, namespace: string, context: RclContext, options: object) => Node;

export interface Rcl {
  readonly Context: new () => RclContext;
  readonly Node: NodeClass<RclNode>;
  readonly NodeOptions: new (
    startParameterServices: boolean,
    parameterOverrides: readonly RclParameter[],
    automaticallyDeclareParametersFromOverrides: boolean,
    startTypeDescriptionService: boolean,
    enableRosout: boolean,
  ) => object;
  readonly lifecycle: { readonly LifecycleNode: NodeClass<RclLifecycleNode> };
  readonly QoS: new (history: number, depth: number, reliability: number, durability: number) => object;
  readonly Parameter: new (name: string, type: number, value: unknown) => RclParameter;
  readonly ParameterDescriptor: new (
    name: string,
    type: number,
    description: string,
    readOnly: boolean,
  ) => RclDescriptor;
  init(context: RclContext, args: readonly string[]): Promise<void>;
  removeSignalHandlers(): void;
}

/** The native addon of rclnodejs, for functions that its public API lacks. */
export interface RclAddon {
  getParameterOverrides(context: unknown):
    | readonly {
        readonly name: string;
        readonly parameters: readonly { name: string; type: number; value: unknown }[];
      }[]
    | undefined;
}
