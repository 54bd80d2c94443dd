import { X509Certificate } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { IqLearnError, messageOf, parseOrThrow } from '../../common/index.js';
import { type LearnerLinkFile, type LinkFile, linkLimits, linkSchema, type RobotLinkFile } from '../../link/index.js';
import { readText } from '../../platform/index.js';
import { LEARNER, type MqttCredentials, type MqttOptions } from '../../transport/index.js';

const DAY_MS = 24 * 3600 * 1000;
const WARN_DAYS = 30;

function read(path: string): string {
  try {
    return readText(path);
  } catch (cause) {
    throw new IqLearnError('NOT_FOUND', `a file of the link cannot be read: ${path}`, {
      found: (cause instanceof IqLearnError && cause.found) || messageOf(cause),
      expected: 'a file that iq-learn link init made',
      remedy: 'make the files of the link with: iq-learn link init; then copy what it says',
      cause,
    });
  }
}

/** A file of the link, and what it refers to. */
export class OpenedLink<File extends LinkFile = LinkFile> {
  readonly file: File;
  readonly #folder: string;

  constructor(path: string, file: File) {
    this.#folder = dirname(path);
    this.file = file;
  }

  /** A path in the file, from this process's folder. */
  path(name: string): string {
    return resolve(this.#folder, name);
  }

  text(name: string): string {
    return read(this.path(name));
  }

  /** Texts of the certificates; undefined where the file has none. */
  credentials(): MqttCredentials | undefined {
    const { authority, certificate, key } = this.file;
    if (authority === undefined || certificate === undefined || key === undefined) return undefined;
    return { authority: this.text(authority), certificate: this.text(certificate), key: this.text(key) };
  }

  /** How the connection to the broker is made. */
  mqtt(more: Partial<MqttOptions> = {}): MqttOptions {
    const { broker, fleet, plaintext } = this.file;
    const name = this.file.end === 'robot' ? this.file.robot : LEARNER;
    const credentials = this.credentials();
    return {
      broker,
      fleet,
      plaintext,
      clientId: `${fleet}-${name}`,
      presence: name,
      limits: linkLimits,
      ...(credentials && { credentials }),
      ...more,
    };
  }

  /** What is wrong with the certificates, or soon will be, in one sentence each. */
  warnings(nowMs: number): string[] {
    const { authority, certificate } = this.file;
    return [authority, certificate].flatMap((name) => {
      if (name === undefined) return [];
      const { validTo } = new X509Certificate(this.text(name));
      const days = Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
      if (days > WARN_DAYS) return [];
      const when = days < 0 ? `has expired on ${validTo}` : `expires in ${days} days, on ${validTo}`;
      return [`the certificate ${this.path(name)} ${when}: make new files with iq-learn link init --out <folder>`];
    });
  }
}

/** Reads a file of the link. Throws NOT_FOUND, INVALID_CONFIG. */
export function openLink(path: string): OpenedLink {
  const text = read(path);
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new IqLearnError('INVALID_CONFIG', `${path} is no YAML`, { found: messageOf(cause), cause });
  }
  return new OpenedLink(
    path,
    parseOrThrow(linkSchema, document, { what: (field) => `${path} is wrong${field === '' ? '' : ` at ${field}`}` }),
  );
}

function isEnd<End extends LinkFile['end']>(
  link: OpenedLink,
  end: End,
): link is OpenedLink<Extract<LinkFile, { end: End }>> {
  return link.file.end === end;
}

function wrongEnd(path: string, found: string, expected: string): IqLearnError {
  return new IqLearnError('INVALID_CONFIG', `${path} is for another end of the link`, {
    found: `end: ${found}`,
    expected: `end: ${expected}`,
    remedy: 'use learner.yaml on the GPU host and <robot>.yaml on the robot',
  });
}

export function openLearnerLink(path: string): OpenedLink<LearnerLinkFile> {
  const link = openLink(path);
  if (!isEnd(link, 'learner')) throw wrongEnd(path, link.file.end, 'learner');
  return link;
}

export function openRobotLink(path: string): OpenedLink<RobotLinkFile> {
  const link = openLink(path);
  if (!isEnd(link, 'robot')) throw wrongEnd(path, link.file.end, 'robot');
  return link;
}
