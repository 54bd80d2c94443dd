/** Topics that do not depend on the robot. State, command, teleoperation and e-stop topics are named by its RobotSpec. */
export const topics = {
  clock: '/clock',
  diagnostics: '/diagnostics',
  taskState: '/task_state',
  transitions: '/transitions',
  recoveredReward: '/recovered_reward',
  policy: '/policy',
  interventions: '/interventions',
  policyStatus: '/policy_status',
  learnerStatus: '/learner_status',
} as const;

/** Services are named after the node that serves them. */
export const services = {
  startSimulation: '/simulator/start_episode',
  startTeleop: '/expert/start_episode',
  startRecording: '/recorder/start_episode',
  stopRecording: '/recorder/stop_episode',
  discardRecording: '/recorder/discard_episode',
  saveLearner: '/learner/save',
} as const;
