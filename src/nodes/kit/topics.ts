/** Topics whose names do not depend on the robot. Its RobotSpec names state, command, teleoperation and e-stop topics. */
export const topics = {
  clock: '/clock',
  diagnostics: '/diagnostics',
  taskState: '/task_state',
  episodeEvents: '/episode_events',
  transitions: '/transitions',
  recoveredReward: '/recovered_reward',
  policy: '/policy',
  interventions: '/interventions',
  policyStatus: '/policy_status',
  learnerStatus: '/learner_status',
} as const;

/** Services that other parts of the package call; each is named after the node that serves it. */
export const services = {
  startSimulation: '/simulator/start_episode',
  startTeleop: '/expert/start_episode',
  startRecording: '/recorder/start_episode',
  stopRecording: '/recorder/stop_episode',
  discardRecording: '/recorder/discard_episode',
  loadPolicy: '/policy/load_policy',
  saveLearner: '/learner/save',
} as const;
