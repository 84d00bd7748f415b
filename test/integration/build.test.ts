/** The bundles: each is one file that starts without any store, answers its health and ends cleanly when told to. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../build/bundle.ts';
import { CACHE_FOLDER, OFFLINE_ENV, cacheEnv } from '../../build/warm.ts';
import { createBroker } from '../../eventing/local/broker.ts';
import { FUNCTION_NAMES, reserveServices, startFunctions } from '../../eventing/local/functions.ts';
import { freePort } from '../../eventing/local/port.ts';
import { CLUSTER_OBJECTS } from '../fixtures/kubernetes.ts';
import { makeAlertEntry, makeWebhook } from '../support/alerts.ts';
import { createTestDatabase } from '../support/database.ts';
import { startKubernetesApi } from '../support/kubernetes-api.ts';
import { startModelStub } from '../support/model-stub.ts';
import { startNtfySink } from '../support/sinks.ts';

const folder = mkdtempSync(join(tmpdir(), 'alertgest-build-'));
// Run from elsewhere, so that a bundle that leans on the checkout or its node_modules fails.
const dist = join(folder, 'moved');

beforeAll(async () => {
  await bundle(join(folder, 'dist'));
  cpSync(join(folder, 'dist'), dist, { recursive: true });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the bundles', () => {
  it.each(FUNCTION_NAMES)('%s answers /health and exits 0 on SIGTERM', async (name) => {
    const port = await freePort();
    const child = spawn(process.execPath, [join(dist, 'main.cjs')], {
      env: { ...OFFLINE_ENV, ...cacheEnv(dist), FUNCTION_TARGET: name, PORT: String(port) },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    const response = await health(port);
    expect(response.status).toBe(200);
    await response.text();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('warms the compile cache', () => {
    const [version = ''] = readdirSync(join(dist, CACHE_FOLDER));
    expect(readdirSync(join(dist, CACHE_FOLDER, version)).length).toBeGreaterThanOrEqual(
      FUNCTION_NAMES.length,
    );
  });

  it('refuses an unknown FUNCTION_TARGET with a word about it', async () => {
    const run = promisify(execFile)(process.execPath, [join(dist, 'main.cjs')], {
      env: { FUNCTION_TARGET: '../x' },
    });
    await expect(run).rejects.toMatchObject({ code: 78, stderr: expect.stringContaining('FUNCTION_TARGET') });
  });

  it('migrates with the .sql files that lie beside it', async () => {
    expect(existsSync(join(dist, 'migrations'))).toBe(true);
    const { stdout } = await promisify(execFile)(process.execPath, [join(dist, 'main.cjs')], {
      env: { FUNCTION_TARGET: 'migrate', DATABASE_URL: await createTestDatabase() },
    });
    expect(JSON.parse(stdout)).toMatchObject({ applied: [], message: 'schema is up to date' });
  });
});

it('carry an alert from the webhook to the phone, as the sources do', async () => {
  const sink = await startNtfySink();
  const model = await startModelStub();
  const cluster = await startKubernetesApi(CLUSTER_OBJECTS);
  const services = await reserveServices();
  const broker = await createBroker({ manifests: 'eventing/base', services, strict: true });
  const functions = await startFunctions({
    services,
    sink: broker.url,
    command: (name) => [process.execPath, join(dist, `${name}.cjs`)],
    env: {
      ...OFFLINE_ENV,
      K_SINK: broker.url,
      ...cacheEnv(dist),
      ...sink.env,
      OLLAMA_BASE_URL: model.url,
      KUBECONFIG: cluster.kubeconfig,
      DATABASE_URL: await createTestDatabase(),
    },
  });
  try {
    const response = await fetch(`${services['receive'] ?? ''}/api/v1/alerts`, {
      method: 'POST',
      body: JSON.stringify(makeWebhook([makeAlertEntry()])),
    });
    expect(response.status).toBe(200);
    await sink.waitFor(1);
    expect(sink.pushes[0]?.title).toContain('PodNotReady');
    // Ollama's client inside the bundle, the Kubernetes client in its file beside it.
    expect(model.calls[0]?.messages[1]?.content).toContain('ReplicaSet api-7d9f8b6c5 ← Deployment api');
    const digest = await fetch(`${services['build-digest'] ?? ''}/`, {
      method: 'POST',
      headers: {
        'ce-id': '1',
        'ce-specversion': '1.0',
        'ce-source': '/test',
        'ce-type': 'dev.alertgest.digest.due',
        'content-type': 'application/json',
      },
      // Nothing is due on a first day, so a span is asked for.
      body: JSON.stringify({
        from: new Date(Date.now() - 3_600_000).toISOString(),
        to: new Date().toISOString(),
      }),
    });
    expect([digest.status, digest.headers.get('ce-type')]).toEqual([200, 'dev.alertgest.digest.built']);
    const page = await fetch(`${services['console'] ?? ''}/api/v1/issues`);
    expect(await page.json()).toMatchObject({ total: 1 });
    await broker.idle();
  } finally {
    await functions.stop();
    await broker.close();
    await sink.close();
    await model.close();
    await cluster.close();
  }
});

async function health(port: number): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetch(`http://127.0.0.1:${port}/health`);
    } catch (error) {
      if (attempt > 400) throw error;
      await sleep(25);
    }
  }
}
