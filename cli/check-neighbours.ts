/** doctor's look at everything that is no store: broker, console, channels, model, Kubernetes. Nothing is sent to anybody. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CHANNEL_TYPES, channelsFromEnv } from '../functions/notify/channels/index.ts';
import { ConfigError } from '../shared/errors.ts';
import type { Environment } from '../shared/env.ts';
import { HttpFailure, request } from '../shared/http.ts';
import type { HttpResponse } from '../shared/http.ts';
import { probeSecret } from './check-channels.ts';
import type { Check } from './check.ts';
import { createConsoleApi } from './console-api.ts';
import { isReachable, toPlace } from './reach.ts';

const TIMEOUT_MS = 3_000;
/** Where a pod finds its own credentials. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount/token';
/** The design's model for a home lab; OLLAMA_MODEL names another. */
const DEFAULT_MODEL = 'llama3.1:8b';

/** The broker: takes a request, whatever it answers to one that is no event. */
export async function checkBroker({ K_SINK: url }: Environment): Promise<Check> {
  const name = 'Broker';
  if (url === undefined)
    return { name, verdict: 'off', detail: 'K_SINK is not set; a SinkBinding sets it on the cluster' };
  const answer = await ask('OPTIONS', url);
  if (answer !== null && answer.status < 500)
    return { name, verdict: 'ok', detail: `${toPlace(url)} answers` };
  const fix = 'kubectl -n alertgest get broker; until it is back the sweep calls the functions directly';
  const what = answer === null ? 'does not answer' : `answers ${answer.status}`;
  return { name, verdict: 'fail', detail: `${toPlace(url)} ${what}`, fix };
}

/** The console and through it the whole pipeline. `asked`: the user named the address, so silence is a failure. */
export async function checkConsole(url: string, asked: boolean, env: Environment): Promise<Check> {
  const name = 'Console';
  if (!(await isReachable(url))) {
    const fix = 'make run starts everything on this machine; --url names another';
    return { name, verdict: asked ? 'fail' : 'off', detail: `nothing runs at ${toPlace(url)}`, fix };
  }
  try {
    const { clean, ...numbers } = await createConsoleApi(url, env['CONSOLE_TOKEN'] ?? null).readAudit();
    if (clean) return { name, verdict: 'ok', detail: `${toPlace(url)}, audit clean` };
    const problems = Object.entries(numbers).filter(([, count]) => count !== 0);
    const list = problems.map(([what, count]) => `${what} ${String(count)}`).join(', ');
    const fix = `see ${url}/api/v1/notices and the functions' logs`;
    return { name, verdict: 'fail', detail: `${toPlace(url)}, audit not clean: ${list}`, fix };
  } catch (error) {
    if (!asked) return { name, verdict: 'off', detail: `${toPlace(url)} is something else; see --url` };
    const detail = error instanceof Error ? error.message : 'does not answer';
    return { name, verdict: 'fail', detail: `${toPlace(url)}: ${detail}`, fix: 'is it alertgest? --url' };
  }
}

/** Each channel of the environment, and whether its server accepts a connection. */
export async function checkChannels(env: Environment): Promise<Check[]> {
  try {
    const channels = channelsFromEnv(env);
    if (channels.length > 0) return await Promise.all(channels.map(({ type }) => checkChannel(type, env)));
    const fix = 'set e.g. NTFY_TOPIC, or GOTIFY_URL and GOTIFY_TOKEN; without one "run" prints pushes';
    return [{ name: 'Channels', verdict: 'off', detail: 'none is configured', fix }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [first = '', ...others] = error.message.split('\n');
    const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
    return [{ name: 'Channels', verdict: 'fail', detail: 'half configured', fix: `${first}${more}` }];
  }
}

async function checkChannel(type: string, env: Environment): Promise<Check> {
  const name = `Channel ${type}`;
  const url = CHANNEL_TYPES.find((one) => one.type === type)?.addressFromEnv(env) ?? null;
  if (url === null) return { name, verdict: 'ok', detail: 'configured' };
  if (await isReachable(url)) {
    const isKnown = await probeSecret(type, env);
    if (isKnown === false) {
      const fix = `its provider refuses it: make a new one, set it, and try it with npm run --silent alertgest -- send-test ${type}`;
      return { name, verdict: 'fail', detail: `${toPlace(url)} does not take the channel's secret`, fix };
    }
    const detail = isKnown === true ? 'takes the channel’s secret' : 'accepts connections';
    return { name, verdict: 'ok', detail: `${toPlace(url)} ${detail}` };
  }
  const fix = 'nobody is told through it until this machine (or the cluster) can reach it';
  return { name, verdict: 'fail', detail: `${toPlace(url)} cannot be reached`, fix };
}

/** Ollama and its model; alertgest works without. */
export async function checkOllama(env: Environment): Promise<Check> {
  const name = 'Ollama';
  const { OLLAMA_BASE_URL: host, OLLAMA_MODEL: wanted = DEFAULT_MODEL } = env;
  if (host === undefined)
    return { name, verdict: 'off', detail: 'OLLAMA_BASE_URL is not set; rules classify alone' };
  if (!(await isReachable(host)))
    return {
      name,
      verdict: 'warn',
      detail: `${toPlace(host)} cannot be reached`,
      fix: 'ollama serve; until then rules classify alone',
    };
  const { Ollama } = await import('ollama');
  try {
    const list = new Ollama({ host }).list();
    const { models } = await Promise.race([list, failAfter(TIMEOUT_MS)]);
    const present = models.some(({ name: model }) => model === wanted || model === `${wanted}:latest`);
    if (present) return { name, verdict: 'ok', detail: `${toPlace(host)} has ${wanted}` };
    return {
      name,
      verdict: 'warn',
      detail: `${toPlace(host)} lacks ${wanted}`,
      fix: `ollama pull ${wanted}`,
    };
  } catch {
    return {
      name,
      verdict: 'warn',
      detail: `${toPlace(host)} does not list its models`,
      fix: 'is it Ollama?',
    };
  }
}

/** The cluster of the kubeconfig; its facts only enrich. The client is heavy, so it is loaded only where there is one. */
export async function checkKubernetes({ KUBECONFIG, HOME = '' }: Environment): Promise<Check> {
  const name = 'Kubernetes';
  const places = [...(KUBECONFIG?.split(delimiter) ?? [join(HOME, '.kube/config')]), SERVICE_ACCOUNT];
  if (!places.some((place) => existsSync(place)))
    return { name, verdict: 'off', detail: 'no kubeconfig; needed for the cluster only' };
  const { KubeConfig, VersionApi } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  try {
    config.loadFromDefault();
    const server = config.getCurrentCluster()?.server ?? '';
    const call = config.makeApiClient(VersionApi).getCode();
    const { gitVersion } = await Promise.race([call, failAfter(TIMEOUT_MS)]);
    return { name, verdict: 'ok', detail: `${toPlace(server) ?? 'the cluster'}, ${gitVersion}` };
  } catch {
    const fix = 'kubectl version; is the context the right one?';
    return { name, verdict: 'warn', detail: 'the cluster of the kubeconfig does not answer', fix };
  }
}

async function ask(method: string, url: string): Promise<HttpResponse | null> {
  try {
    return await request({ method, url, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (error instanceof HttpFailure) return null;
    throw error;
  }
}

function failAfter(ms: number): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  setTimeout(() => reject(new Error('no answer in time')), ms).unref();
  return promise;
}
