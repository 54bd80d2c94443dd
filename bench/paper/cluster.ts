/** Gives the words of the command that runs one job of a table. `job` is an expression of the shell that gives the job's name. */
const command = (args: readonly string[], job: string): string =>
  ['npm run --silent bench -- paper', ...args.map((word) => `'${word.replaceAll("'", `'\\''`)}'`), `--job=${job}`].join(
    ' ',
  );

/** Gives the shell's expression for the job at the index that an environment variable holds. */
const element = (index: string): string => `"$\{jobs[$${index}]}"`;

/** Writes a Slurm script that runs every job of a table as one task of an array, each on one core. */
export function slurmScript(table: string, jobs: readonly string[], args: readonly string[]): string {
  return [
    '#!/bin/bash',
    `#SBATCH --job-name=iq-learn-${table}`,
    `#SBATCH --array=0-${jobs.length - 1}`,
    '#SBATCH --cpus-per-task=1 --mem=2G --time=02:00:00',
    '# Submit it in a checkout that was built (npm ci) on a disk that all machines see. Results land in the folder --runs;',
    '# submit it again to make those that are missing, then run the command without --job to write the table.',
    'jobs=(',
    ...jobs.map((job) => `  ${job}`),
    ')',
    command(args, element('SLURM_ARRAY_TASK_ID')),
    '',
  ].join('\n');
}

/** Writes a Kubernetes Job that runs every job of a table as one index, each on one core, on a volume that they share. */
export function kubernetesJob(table: string, jobs: readonly string[], args: readonly string[]): string {
  return [
    'apiVersion: batch/v1',
    'kind: Job',
    `metadata: { name: iq-learn-${table} }`,
    'spec:',
    '  completionMode: Indexed',
    `  completions: ${jobs.length}`,
    '  parallelism: 16',
    '  backoffLimitPerIndex: 2',
    '  template:',
    '    spec:',
    '      restartPolicy: Never',
    '      containers:',
    '        - name: run',
    '          image: iq_learn # built from the Dockerfile of this repository',
    '          resources: { requests: { cpu: 1, memory: 2Gi }, limits: { memory: 2Gi } }',
    '          volumeMounts: [{ name: runs, mountPath: /runs }]',
    '          command: [bash, -c]',
    '          args:',
    '            - |',
    '              jobs=(',
    ...jobs.map((job) => `                ${job}`),
    '              )',
    `              ${command(args, element('JOB_COMPLETION_INDEX'))}`,
    '      volumes: [{ name: runs, persistentVolumeClaim: { claimName: iq-learn-runs } }]',
    '',
  ].join('\n');
}
