export { type BrokerOptions, type RunningBroker, startBroker } from './broker.js';
export { requestOfFleet } from './fleet-request.js';
export { type Gauge, type HealthSource, prometheus, serveHealth } from './health.js';
export { OpenedLink, openLearnerLink, openLink, openRobotLink } from './link-file.js';
export { initLink, type LinkInitOptions, type LinkInitResult } from './link-init.js';
export { LinkWatch, type RobotRow, robotCells, robotColumns } from './link-watch.js';
export { LoopbackLink } from './loopback-link.js';
export { openRobotEnd, type RobotLink } from './robot-link.js';
export { LearnerHost, type ServeOptions } from './serve.js';
