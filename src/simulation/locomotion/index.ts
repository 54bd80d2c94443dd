export { type GymnasiumVersion, type LocomotionName, LocomotionTask } from './locomotion.js';
