import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { cli } from '../cli/support.js';

// Kubernetes's own OpenAPI schemas, as the package kubernetes-models carries them.
type Model = new (data: never) => { validate(): void };
const group = async (name: string): Promise<Record<string, Model>> => await import(`kubernetes-models/${name}`);
const [apps, core, networking] = await Promise.all(['apps/v1', 'v1', 'networking.k8s.io/v1'].map(group));
const models: Readonly<Record<string, Model | undefined>> = {
  'apps/v1 Deployment': apps!.Deployment,
  'apps/v1 StatefulSet': apps!.StatefulSet,
  'v1 Service': core!.Service,
  'networking.k8s.io/v1 NetworkPolicy': networking!.NetworkPolicy,
};

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Record<string, never>;
}

/** Throws what Kubernetes would refuse a manifest for. */
function validate(manifest: Manifest): void {
  const Model = models[`${manifest.apiVersion} ${manifest.kind}`];
  if (Model === undefined) throw new Error(`no schema for ${manifest.apiVersion} ${manifest.kind}`);
  const { apiVersion: _, kind: __, ...data } = manifest;
  new Model(data as never).validate();
}

const text = readFileSync('deploy/link/kubernetes.yaml', 'utf8');
const manifests = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
const compose = parse(readFileSync('deploy/link/compose.yaml', 'utf8')) as {
  services: Record<string, { command: string[]; ports: string[]; volumes: string[]; cap_drop: string[] }>;
};
const learner = manifests.find(({ kind }) => kind === 'StatefulSet')!;
const container = (manifest: Manifest) =>
  (manifest as unknown as { spec: { template: { spec: { containers: { command: string[] }[] } } } }).spec.template.spec
    .containers[0]!;

describe('the manifests for Kubernetes', () => {
  it('fit its schemas', () => {
    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Deployment iq-learn-broker',
      'Service iq-learn-broker',
      'StatefulSet iq-learn-learner',
      'Service iq-learn-learner',
      'NetworkPolicy iq-learn-learner',
    ]);
    for (const manifest of manifests) validate(manifest);
  });

  it.each([
    ['a number where a text is wanted', 'name: mosquitto', 'name: 7', /name.*string/],
    ['a field that is missing', '  selector: { matchLabels: { app: iq-learn-broker } }\n', '', /selector/],
    ['a field of another type', 'replicas: 1', 'replicas: one', /replicas/],
  ])('would be refused with %s, and the check says so', (_, from, to, reason) => {
    const changed = text.replace(from, to);
    expect(changed).not.toBe(text);
    expect(() => {
      for (const document of parseAllDocuments(changed)) validate(document.toJS() as Manifest);
    }).toThrow(reason);
  });

  it('name volumes that there are, and select the pods that they mean', () => {
    for (const manifest of manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet')) {
      const { spec } = manifest as unknown as {
        spec: {
          selector: { matchLabels: object };
          template: {
            metadata: { labels: object };
            spec: { volumes: { name: string }[]; containers: { volumeMounts: { name: string }[] }[] };
          };
          volumeClaimTemplates?: { metadata: { name: string } }[];
        };
      };
      const volumes = [
        ...spec.template.spec.volumes,
        ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata),
      ];
      for (const { name } of spec.template.spec.containers.flatMap(({ volumeMounts }) => volumeMounts))
        expect(volumes.map((volume) => volume.name)).toContain(name);
      expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    }
  });
});

describe('both ways to start broker and learner', () => {
  it('give serve options that it has', async () => {
    const { stdout } = await cli('serve', '--help');
    for (const command of [container(learner).command, compose.services.learner!.command]) {
      expect(command.slice(0, 3)).toEqual(['node', '/opt/iq_learn/dist/src/cli/main.js', 'serve']);
      for (const option of command.slice(3)) expect(stdout).toContain(`${option.split('=')[0]!} `);
      expect(command).toContain('--health=0.0.0.0:8787');
    }
  });

  it('open the broker with TLS alone, and health to the machine or the cluster alone', () => {
    expect(compose.services.broker!.ports).toEqual(['8883:8883']);
    expect(compose.services.learner!.ports).toEqual(['127.0.0.1:8787:8787']);
    expect(text).not.toMatch(/1883[^,]*port|port: 1883/);
    for (const { cap_drop } of Object.values(compose.services)) expect(cap_drop).toEqual(['ALL']);
  });

  it('give the broker no keys of robots and no authority, and the learner none of the broker', () => {
    expect(compose.services.broker!.volumes).toEqual(['./link/broker:/mosquitto/link/broker:ro']);
    const mounted = compose.services.learner!.volumes.join('\n');
    expect(mounted).not.toMatch(/authority|link\/broker|rover/);
  });
});
