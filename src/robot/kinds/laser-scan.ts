import type { MessageKind } from './message-kind.js';

/** Ranges in one plane. */
export const laserScan: MessageKind<'sensor_msgs/msg/LaserScan'> = {
  type: 'sensor_msgs/msg/LaserScan',
  state: { scan: (message) => message },
  fromReadings(readings, { spec, header, need }) {
    const { angleMin, angleIncrement, rangeMin, rangeMax, ranges } = need(readings.scan, 'a scan');
    return {
      header,
      angle_min: angleMin,
      angle_max: angleMin + angleIncrement * (ranges.length - 1),
      angle_increment: angleIncrement,
      time_increment: 0,
      scan_time: 1 / spec.rateHz,
      range_min: rangeMin,
      range_max: rangeMax,
      ranges,
      intensities: new Float32Array(0),
    };
  },
};
