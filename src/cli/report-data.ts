import { yawOf } from '../common/index.js';
import { type Path, type RewardTrace, type SceneReplay, sceneReplay, type TopView } from '../report/index.js';
import type { RobotSpec } from '../robot/index.js';
import type { EpisodeOutcome, EpisodeTrace, TrainingSession } from '../sessions/index.js';
import { createTaskClient, taskDefinition } from '../simulation/index.js';
import type { Assessment } from './assess.js';

/** Frames for each second of a replay: more would not be seen. */
const FRAME_RATE = 30;

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** The poses along an episode, one for each step, from the state topic of this message type; none where there is no such topic. */
function posesOf(spec: RobotSpec, trace: EpisodeTrace, type: string): EpisodeTrace['poses'][string] {
  const topic = spec.stateTopics.find((state) => state.type === type)?.topic;
  return topic === undefined ? [] : (trace.poses[topic] ?? []);
}

function pathOf(spec: RobotSpec, policy: string, { success, trace }: EpisodeOutcome): Path | undefined {
  if (trace === undefined) return undefined;
  const poses = posesOf(spec, trace, 'nav_msgs/msg/Odometry');
  return {
    policy,
    success,
    x: poses.map(({ position }) => rounded(position[0], 3)),
    y: poses.map(({ position }) => rounded(position[1], 3)),
    yaw: poses.map(({ orientation }) => rounded(yawOf(...orientation), 3)),
  };
}

/** The paths of all policies from the same starts, seen from above; null for a task that has no such view. */
export function topViewOf(spec: RobotSpec, assessments: readonly Assessment[]): TopView | null {
  const scene = spec.task === null ? undefined : taskDefinition(spec.task).topView;
  if (scene === undefined) return null;
  const { halfWidth, robotRadius, goalRadius, pillars, blocks } = scene;
  const traced = (assessments[0]?.outcomes ?? []).filter(({ trace }) => trace !== undefined);
  const starts = traced.flatMap(({ seed, trace }, i) => {
    const goal = posesOf(spec, trace!, 'geometry_msgs/msg/PoseStamped')[0]?.position;
    const paths = assessments.flatMap(({ who, outcomes }) => pathOf(spec, who.id, outcomes[i]!) ?? []);
    return goal === undefined ? [] : [{ seed, goal: [rounded(goal[0], 3), rounded(goal[1], 3)] as const, paths }];
  });
  return { halfWidth, robotRadius, goalRadius, pillars, blocks, stepSeconds: 1 / spec.rateHz, starts };
}

/** Recovered and true reward along the first traced episode of each policy. */
export async function rewardTraces(
  training: TrainingSession,
  assessments: readonly Assessment[],
): Promise<RewardTrace[]> {
  const traces: RewardTrace[] = [];
  for (const { who, outcomes } of assessments) {
    const episode = outcomes[0];
    if (episode?.trace === undefined) continue;
    const { observations, actions, rewards } = episode.trace;
    const recovered = await training.recoverRewards({ observations, actions, terminated: episode.terminated });
    traces.push({
      policy: who.id,
      seed: episode.seed,
      recovered: Array.from(recovered, (value) => rounded(value, 4)),
      task: rewards.map((value) => rounded(value, 4)),
    });
  }
  return traces;
}

/** The first traced episode of each policy as moving bodies. The simulator is deterministic, so it repeats the episode exactly. */
export async function replaysOf(spec: RobotSpec, assessments: readonly Assessment[]): Promise<SceneReplay[]> {
  if (spec.task === null) return [];
  const client = await createTaskClient(spec.task);
  try {
    const space = client.actionSpace;
    const order =
      space.kind === 'box' ? space.dimensions.map(({ name }) => spec.action.findIndex((a) => a.name === name)) : [0];
    const stride = Math.max(1, Math.floor(1 / (FRAME_RATE * client.stepSeconds)));
    const replays: SceneReplay[] = [];
    for (const { who, outcomes } of assessments) {
      const episode = outcomes[0];
      if (episode?.trace === undefined) continue;
      await client.reset(episode.seed);
      const frames = [await client.scene()];
      for (const [t, action] of episode.trace.actions.entries()) {
        await client.step(order.map((i) => action[i]!));
        if ((t + 1) % stride === 0) frames.push(await client.scene());
      }
      const { seed, success } = episode;
      replays.push(sceneReplay({ policy: who.id, seed, success, stepSeconds: stride * client.stepSeconds }, frames));
    }
    return replays;
  } finally {
    await client.close();
  }
}
