/**
 * `make monitoring ENV=homelab|company`: renders the whole monitoring stack into dist/monitoring, with thresholds from the
 * environment (`ALERT_CPU_THRESHOLD=85`), and installs it with `--apply`. What cannot be rendered here is said by name.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { chartsOf, valuesOf } from '../monitoring/charts.ts';
import { ENVIRONMENTS, readVariables } from '../monitoring/variables.ts';
import type { Environment } from '../monitoring/variables.ts';
import { renderRules } from './monitoring.ts';

const ROOT = resolve(import.meta.dirname, '..');

interface Object {
  readonly kind?: string;
}

/** Renders an environment into a folder and returns one line per part: what was written, and what was not and why. */
export function renderStack(
  environment: Environment,
  folder: string,
  variables: Readonly<Record<string, string | undefined>>,
): string[] {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(resolve(folder, 'charts'), { recursive: true });
  const rules = renderRules(environment, readVariables(environment, variables)).map(([, text]) => text);
  return [...renderResources(environment, folder, rules), ...renderCharts(environment, folder)];
}

function renderResources(environment: Environment, folder: string, rules: readonly string[]): string[] {
  writeFileSync(resolve(folder, 'rules.yaml'), rules.join('---\n'));
  const { status, stdout, stderr } = run('kubectl', ['kustomize', `monitoring/overlays/${environment}`]);
  if (status === null) return [`rules.yaml: written; resources.yaml: not rendered, kubectl is not installed`];
  if (status !== 0) throw new Error(`kubectl kustomize failed: ${stderr}`);
  // The overlay's rules have the default thresholds; these have the ones that were asked for.
  const others = parseAllDocuments(stdout)
    .map((document) => document.toJS() as Object)
    .filter(({ kind }) => kind !== 'PrometheusRule');
  writeFileSync(
    resolve(folder, 'resources.yaml'),
    [...others.map((object) => stringify(object, { lineWidth: 0 })), ...rules].join('---\n'),
  );
  return [`resources.yaml: ${others.length + rules.length} objects, ${rules.length} of them rules`];
}

function renderCharts(environment: Environment, folder: string): string[] {
  const charts = chartsOf(environment);
  if (run('helm', ['version', '--short']).status === null) {
    const names = charts.map(({ release }) => release).join(', ');
    return [`charts: not rendered, helm is not installed (${names}); Argo CD renders them itself`];
  }
  return charts.map((entry) => {
    const { status, stdout, stderr } = run('helm', [
      'template',
      entry.release,
      ...chartArguments(entry, environment),
    ]);
    if (status !== 0) return `charts/${entry.release}.yaml: not rendered, helm said: ${stderr.trim()}`;
    writeFileSync(resolve(folder, 'charts', `${entry.release}.yaml`), stdout);
    return `charts/${entry.release}.yaml: ${entry.chart} ${entry.version}`;
  });
}

function chartArguments(entry: ReturnType<typeof chartsOf>[number], environment: Environment): string[] {
  return [
    entry.chart,
    '--repo',
    entry.repository,
    '--version',
    entry.version,
    '--namespace',
    entry.namespace,
    ...valuesOf(entry, environment).flatMap((path) => ['--values', path]),
  ];
}

/** Charts first, because they bring the custom resources; their namespaces before them. */
function install(environment: Environment, folder: string): void {
  const steps: [string, string[]][] = [
    ['kubectl', ['apply', '--server-side', '-f', 'monitoring/base/namespaces.yaml']],
    ['kubectl', ['apply', '--server-side', '-f', 'monitoring/base/priority-classes.yaml']],
    ...chartsOf(environment).map((entry): [string, string[]] => [
      'helm',
      ['upgrade', '--install', entry.release, ...chartArguments(entry, environment)],
    ]),
    ['kubectl', ['apply', '--server-side', '-f', resolve(folder, 'resources.yaml')]],
  ];
  for (const [command, args] of steps) {
    const { status } = spawnSync(command, args, { cwd: ROOT, stdio: 'inherit' });
    if (status !== 0) throw new Error(`${command} ${args.slice(0, 3).join(' ')} … failed`);
  }
}

function run(
  command: string,
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
}

if (import.meta.main) {
  const [name = '', option] = process.argv.slice(2);
  const environment = ENVIRONMENTS.find((known) => known === name);
  if (environment === undefined) {
    process.stderr.write(`ENV must be one of ${ENVIRONMENTS.join(', ')}\n`);
    process.exitCode = 64;
  } else {
    const folder = resolve(ROOT, 'dist/monitoring', environment);
    try {
      for (const line of renderStack(environment, folder, process.env)) process.stdout.write(`${line}\n`);
      process.stdout.write(`in ${folder}\n`);
      if (option === '--apply') install(environment, folder);
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
}
