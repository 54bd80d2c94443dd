// Reads a recording (rosbag2-compatible MCAP): first its topics as they are, then as a robot's transitions.
import { openRecording, readDemonstrations } from 'iq_learn/demonstrations';
import { decode, isMessageTypeName } from 'iq_learn/messages';
import { loadRobotSpec } from 'iq_learn/robot';

const [folder, robot = 'rover'] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node dist/examples/read-recording.js FOLDER [ROBOT]');

// The raw view: every message with its topic, type, time and bytes.
const recording = await openRecording(folder);
for (const { topic, type, messages, unreadable } of recording.topics.values())
  console.log(`${topic}: ${messages} of ${type}${unreadable === null ? '' : ` (${unreadable.message})`}`);
for await (const { topic, type, data } of recording.messages()) {
  if (!isMessageTypeName(type)) continue;
  console.log(`the first message, on ${topic}:`, decode(type, data));
  break;
}

// The learner's view: episodes of observations and actions, exactly as the robot's description makes them live.
const { episodes, report } = await readDemonstrations([folder], loadRobotSpec(robot));
for (const [i, { length, terminated }] of episodes.entries())
  console.log(`episode ${i}: ${length} steps, ${terminated ? 'ended in a terminal state' : 'cut off by time'}`);
for (const { problems } of report.recordings) for (const problem of problems) console.log(`left out: ${problem}`);
