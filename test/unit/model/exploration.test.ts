/** Walks every interleaving of the model, each state once, and holds the rules of DESIGN §4 against every one of them. */
import { describe, expect, it } from 'vitest';
import type { Arrival } from '../../../functions/receive/episodes.ts';
import { at, makeArrival } from '../../support/alerts.ts';
import { actionsOf, begin, sweep } from './pipeline.ts';
import type { Budget, State, World } from './pipeline.ts';

const SWEEPS = 12;

const firing = (pod: string, start: number, receivedAt: Date): Arrival =>
  makeArrival({ labels: labelsOf(pod), startsAt: at(start), receivedAt });
const resolved = (pod: string, start: number, end: number, receivedAt: Date): Arrival =>
  makeArrival({
    status: 'resolved',
    labels: labelsOf(pod),
    startsAt: at(start),
    endsAt: at(end),
    receivedAt,
  });
const labelsOf = (pod: string) => ({ severity: 'critical', pod: `api-7d9f8b6c5-x${pod}bcd` });

/** Two alerts of one issue: one comes, the other joins, both heal, and the first comes again. */
const TWO_ALERTS: World = {
  severity: 'critical',
  timeOf: (delivery) => at(100 + delivery),
  webhooks: [
    (time) => [firing('1', 0, time)],
    (time) => [firing('1', 0, time), firing('2', 1, time)],
    (time) => [resolved('1', 0, 20, time), resolved('2', 1, 21, time)],
    (time) => [firing('1', 60, time)],
  ],
};
const ONE_ALERT: World = {
  ...TWO_ALERTS,
  webhooks: [(time) => [firing('1', 0, time)], (time) => [resolved('1', 0, 20, time)]],
};

const NOTHING: Budget = {
  duplicates: 0,
  losses: 0,
  unheard: 0,
  crashes: 0,
  refusals: 0,
  decisions: 0,
  sweeps: 0,
};

describe.each([
  ['nothing goes wrong', TWO_ALERTS, {}],
  ['a webhook never arrives', TWO_ALERTS, { unheard: 1 }],
  ['webhooks and events come twice', ONE_ALERT, { duplicates: 3 }],
  ['the broker loses events', ONE_ALERT, { losses: 4, sweeps: 1 }],
  ['the broker loses events of two alerts', TWO_ALERTS, { losses: 1 }],
  ['notify crashes before and after the provider said yes', ONE_ALERT, { crashes: 3, sweeps: 1 }],
  ['a provider refuses', ONE_ALERT, { refusals: 2, crashes: 1, duplicates: 1 }],
  ['a person ignores and takes it back', ONE_ALERT, { decisions: 2, losses: 1, duplicates: 1 }],
  ['a little of everything', ONE_ALERT, { duplicates: 1, losses: 1, crashes: 1, refusals: 1, sweeps: 1 }],
] as const)('when %s', (_, world, some) => {
  it(
    'no path loses an episode, closes an open incident, or pushes twice without a crash',
    { timeout: 60_000 },
    () => {
      const seen = explore(world, { ...NOTHING, ...some });
      expect(seen.ends).toBeGreaterThan(0);
      expect(seen.states).toBeGreaterThan(seen.ends);
    },
  );
});

describe('the walk itself', () => {
  it('finds a notify that sends without a claim', () => {
    const careless = (state: State): void => {
      for (const notice of state.notices) if (notice.delivery === 'sending') notice.delivery = 'planned';
    };
    expect(() => explore(ONE_ALERT, { ...NOTHING, duplicates: 1 }, careless)).toThrow('pushed');
  });

  it('finds an incident that is closed while an alert of it fires', () => {
    const hasty = (state: State): void => {
      for (const [, incident] of state.incidents) incident.openEpisodes = Math.min(1, incident.openEpisodes);
    };
    expect(() => explore(TWO_ALERTS, NOTHING, hasty)).toThrow('counts');
  });
});

/** Visits every state that can be reached; `spoil` breaks a rule on purpose after each step. */
function explore(
  world: World,
  budget: Budget,
  spoil: (state: State) => void = () => undefined,
): { states: number; ends: number } {
  const start = begin(world, budget);
  const known = new Set([keyOf(start)]);
  const stack: Array<{ state: State; path: readonly string[] }> = [{ state: start, path: [] }];
  let ends = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { state, path } = top;
    const actions = actionsOf(world, state);
    if (actions.every(([name]) => isFault(name))) {
      ends++;
      finish(world, structuredClone(state), path);
    }
    for (const [name, act] of actions) {
      const next = structuredClone(state);
      act(next);
      spoil(next);
      check(next, [...path, name]);
      const key = keyOf(next);
      if (known.has(key)) continue;
      known.add(key);
      stack.push({ state: next, path: [...path, name] });
    }
  }
  return { states: known.size, ends };
}

/** What may never happen on the way. */
function check(state: State, path: readonly string[]): void {
  const fail = (what: string): never => {
    throw new Error(`${what} after: ${path.join(', ')}`);
  };
  for (const [, incident] of state.incidents) {
    const open = state.episodes.filter(([, life]) => life.incident === incident.id && life.endedAt === null);
    if (open.length !== incident.openEpisodes || open.length === 0)
      fail(`incident ${incident.id} counts ${incident.openEpisodes} of ${open.length} open episodes`);
  }
  for (const incident of state.closed)
    if (state.episodes.some(([, life]) => life.incident === incident.id && life.endedAt === null))
      fail(`incident ${incident.id} counts as closed while an episode of it is open`);
  if (new Set(state.lives).size !== state.lives.length) fail('a life is stored twice');
  for (const { id } of state.notices) {
    const times = state.pushes.filter((push) => push.notice === id).length;
    if (times > 1 + state.crashesAfterSend) fail(`${id} is pushed ${times} times`);
  }
  for (const push of state.pushes) {
    if (push.kind !== 'resolved') continue;
    if (push.open > 0) fail(`${push.notice} is pushed while ${push.open} episodes are open`);
    const opened = push.notice.replace('.resolved', '.opened');
    if (!state.pushes.some(({ notice }) => notice === opened))
      fail(`${push.notice} is pushed without its beginning`);
  }
}

/** Nothing moves any more: with the sweeps that follow, everything ends, and what was accepted is stored and told. */
function finish(world: World, state: State, path: readonly string[]): void {
  for (let round = 0; round < SWEEPS; round++) {
    sweep(state);
    for (let guard = 0; guard < 200; guard++) {
      const next = actionsOf(world, state).find(([name]) => !isFault(name));
      if (next === undefined) break;
      next[1](state);
    }
  }
  const fail = (what: string): never => {
    throw new Error(`${what} at the end of: ${path.join(', ')}`);
  };
  const accepted = new Set(
    state.delivered.flatMap((index) =>
      (world.webhooks[index]?.(at(1_000)) ?? []).map(
        ({ alert }) => `${alert.key} ${alert.startsAt.getTime()}`,
      ),
    ),
  );
  if (accepted.size !== state.lives.length)
    fail(`${accepted.size} lives were accepted, ${state.lives.length} stored`);
  for (const { id, kind, status, delivery } of state.notices) {
    if (!['notified', 'suppressed', 'dead'].includes(status)) fail(`${id} is still ${status}`);
    if (kind === 'opened' && !state.wasIgnored && status !== 'notified' && delivery !== 'dead')
      fail(`nobody was told of ${id}, which is ${status}`);
  }
  check(state, path);
}

function isFault(name: string): boolean {
  return /^(lose|crash|refuse|ignore|revoke|sweep)|again$|twice$/.test(name);
}

function keyOf(state: State): string {
  const { doorbells, pushes, ...rest } = state;
  return JSON.stringify([
    rest,
    doorbells.toSorted(),
    pushes.map(({ notice, open }) => `${notice} ${open}`).toSorted(),
  ]);
}
