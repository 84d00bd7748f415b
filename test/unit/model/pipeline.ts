/**
 * The rules of episodes, incidents, notices and deliveries as a small machine whose every interleaving can be walked.
 * The two hearts are the product's own pure code (`planArrivals`, `decide`); around them stands the least that a function
 * does between them: compare-and-set on a row, then a doorbell. What can go wrong has a budget, so that the walk ends.
 */
import { planArrivals } from '../../../functions/receive/episodes.ts';
import type { Arrival, EpisodeState, IncidentState } from '../../../functions/receive/episodes.ts';
import { decide } from '../../../functions/suppress-check/suppression.ts';
import type { Limits } from '../../../functions/suppress-check/suppression.ts';
import { FIRST } from '../../../functions/suppress-check/returns.ts';
import type { Decision } from '../../../shared/postgres/decisions.ts';
import type { NoticeKind, NoticeStatus } from '../../../shared/postgres/notices.ts';
import type { Severity } from '../../../shared/severity.ts';

export const LIMITS: Limits = {
  stormIncidents: 30,
  stormCriticals: 10,
  flapOpenings: 3,
  flapWindowMs: 30 * 60_000,
  stormSummaryMs: 300_000,
  remindAfterMs: 4 * 3_600_000,
  tellAgainMs: 24 * 3_600_000,
};

/** A notice with its one delivery. */
export interface ModelNotice {
  readonly id: string;
  readonly incident: string;
  readonly kind: NoticeKind;
  status: NoticeStatus;
  reason: string | null;
  delivery: 'none' | 'planned' | 'sending' | 'sent' | 'dead';
  /** The claim; a mark of an older one is refused. */
  fence: number;
  attempts: number;
}

/** A worker of notify between its claim and its mark. */
export interface Worker {
  readonly notice: string;
  readonly fence: number;
  hasSent: boolean;
}

export interface Push {
  readonly notice: string;
  readonly kind: NoticeKind;
  /** Open episodes of the incident when it was sent. */
  readonly open: number;
}

/** How often each thing may still go wrong. */
export interface Budget {
  duplicates: number;
  /** Events that the broker forgets; webhooks that never arrive. */
  losses: number;
  unheard: number;
  crashes: number;
  refusals: number;
  decisions: number;
  /** Sweeps that come while everything is still on its way. */
  sweeps: number;
}

export interface State {
  /** Webhooks that were not delivered yet, by index. */
  waiting: number[];
  delivered: number[];
  episodes: Array<[string, EpisodeState]>;
  incidents: Array<[string, IncidentState]>;
  closed: IncidentState[];
  /** Every life that was ever stored, by key and order. */
  lives: string[];
  notices: ModelNotice[];
  /** `step notice`, in no order. */
  doorbells: string[];
  workers: Worker[];
  pushes: Push[];
  decision: Decision['kind'] | null;
  /** Whether anybody decided or gave up in this run: then silence may be right. */
  wasIgnored: boolean;
  crashesAfterSend: number;
  budget: Budget;
}

export interface World {
  readonly severity: Severity;
  readonly webhooks: ReadonlyArray<(receivedAt: Date) => readonly Arrival[]>;
  readonly timeOf: (delivery: number) => Date;
}

/** A state before anything happened. */
export function begin(world: World, budget: Budget): State {
  return {
    waiting: world.webhooks.map((_, index) => index),
    delivered: [],
    episodes: [],
    incidents: [],
    closed: [],
    lives: [],
    notices: [],
    doorbells: [],
    workers: [],
    pushes: [],
    decision: null,
    wasIgnored: false,
    crashesAfterSend: 0,
    budget: { ...budget },
  };
}

type Action = readonly [name: string, act: (state: State) => void];

/** Everything that can happen next. */
export function actionsOf(world: World, state: State): Action[] {
  const { budget } = state;
  const actions: Action[] = [];
  // The network may swap neighbours.
  for (const index of state.waiting.slice(0, 2)) {
    actions.push([
      `webhook ${index}`,
      (next) => {
        next.waiting = next.waiting.filter((other) => other !== index);
        receive(world, next, index);
      },
    ]);
  }
  const [first] = state.waiting;
  if (budget.unheard > 0 && first !== undefined)
    actions.push([`lose webhook ${first}`, (next) => (next.budget.unheard--, void next.waiting.shift())]);
  if (budget.sweeps > 0) actions.push(['sweep meanwhile', (next) => (next.budget.sweeps--, sweep(next))]);
  if (budget.duplicates > 0)
    for (const index of state.delivered.slice(-2))
      actions.push([
        `webhook ${index} again`,
        (next) => (next.budget.duplicates--, receive(world, next, index)),
      ]);
  for (const bell of new Set(state.doorbells)) {
    actions.push([bell, (next) => (remove(next.doorbells, bell), ring(next, bell))]);
    if (budget.losses > 0)
      actions.push([`lose ${bell}`, (next) => (next.budget.losses--, remove(next.doorbells, bell))]);
    if (budget.duplicates > 0)
      actions.push([`${bell} twice`, (next) => (next.budget.duplicates--, ring(next, bell))]);
  }
  for (const [index, worker] of state.workers.entries()) {
    if (worker.hasSent) {
      actions.push([`mark ${worker.notice}`, (next) => mark(next, index)]);
      if (budget.crashes > 0)
        actions.push([
          `crash after ${worker.notice}`,
          (next) => (next.budget.crashes--, next.crashesAfterSend++, void next.workers.splice(index, 1)),
        ]);
    } else {
      actions.push([`send ${worker.notice}`, (next) => send(next, index)]);
      if (budget.crashes > 0)
        actions.push([
          `crash before ${worker.notice}`,
          (next) => (next.budget.crashes--, void next.workers.splice(index, 1)),
        ]);
      if (budget.refusals > 0)
        actions.push([`refuse ${worker.notice}`, (next) => (next.budget.refusals--, refuse(next, index))]);
    }
  }
  if (budget.decisions > 0) {
    const kind = state.decision === null ? 'ignore' : null;
    actions.push([
      kind ?? 'revoke',
      (next) => {
        next.budget.decisions--;
        next.decision = kind;
        next.wasIgnored = true;
      },
    ]);
  }
  return actions;
}

/** One minute's sweep: what does not move goes on, claims that ran out are free again. */
export function sweep(state: State): void {
  for (const notice of state.notices) {
    if (notice.status === 'received') {
      notice.status = 'classified';
      notice.attempts = 0;
      state.doorbells.push(`decide ${notice.id}`);
    } else if (notice.status === 'classified') {
      // An end is rung for once more before anybody is told unchecked.
      if (notice.kind === 'resolved' && notice.attempts++ === 0) state.doorbells.push(`decide ${notice.id}`);
      else {
        notice.status = 'admitted';
        state.doorbells.push(`notify ${notice.id}`);
      }
    } else if (notice.status === 'admitted') {
      const isHeld = state.workers.some((worker) => worker.notice === notice.id);
      if (notice.delivery === 'sending' && !isHeld) notice.delivery = 'planned';
      state.doorbells.push(`notify ${notice.id}`);
    }
  }
}

function receive(world: World, state: State, index: number): void {
  state.delivered.push(index);
  const arrivals = world.webhooks[index]?.(world.timeOf(state.delivered.length)) ?? [];
  const episodes = new Map(state.episodes);
  const incidents = new Map(state.incidents);
  const plan = planArrivals(arrivals, episodes, incidents);
  for (const { state: life } of plan.newEpisodes) {
    life.id = String(state.lives.push(`${life.key} ${life.startsAt.getTime()}`));
  }
  state.episodes = [...episodes];
  state.incidents = [...incidents];
  for (const incident of [...plan.changedIncidents, ...plan.newIncidents.map((one) => one.state)]) {
    if (incident.closedAt !== null) state.closed.push(incident);
  }
  for (const { id, incident, kind } of plan.notices) {
    // The same news is the same row.
    if (state.notices.some((notice) => notice.id === id)) continue;
    const status = 'received';
    state.notices.push({ id, incident, kind, status, reason: null, delivery: 'none', fence: 0, attempts: 0 });
    state.doorbells.push(`classify ${id}`);
  }
}

function ring(state: State, bell: string): void {
  const [step, id] = bell.split(' ', 2);
  const notice = state.notices.find((one) => one.id === id);
  if (notice === undefined) return;
  if (step === 'classify') {
    if (notice.status === 'received') notice.status = 'classified';
    if (notice.status === 'classified') state.doorbells.push(`decide ${notice.id}`);
  } else if (step === 'decide') {
    if (notice.status === 'received') state.doorbells.push(bell);
    else decideNotice(state, notice);
  } else notify(state, notice);
}

function decideNotice(state: State, notice: ModelNotice): void {
  if (notice.status === 'admitted') state.doorbells.push(`notify ${notice.id}`);
  if (notice.status !== 'classified') return;
  const siblings = state.notices.filter(({ incident }) => incident === notice.incident);
  const opened = siblings.find(({ kind }) => kind === 'opened');
  const isOpen = state.incidents.map(([, incident]) => incident).find(({ id }) => id === notice.incident);
  const verdict = decide(
    {
      kind: notice.kind,
      severity: 'critical',
      heartbeat: false,
      dueWhy: null,
      messageOf: null,
      receivedAt: new Date(0),
      openEpisodes: isOpen?.openEpisodes ?? 0,
      dues: 0,
      decision:
        state.decision === null
          ? null
          : { kind: state.decision, until: null, note: 'known', actor: 'ann', generation: 1 },
      outside: null,
      longerAt: null,
      canaryOneIn: null,
      openedStatus: opened?.status ?? null,
      openedBatch: null,
      told: siblings.some(
        ({ id, kind, status }) =>
          id !== notice.id && kind !== 'resolved' && (status === 'admitted' || status === 'notified'),
      ),
      returned: FIRST,
      stormRank: 1,
    },
    LIMITS,
  );
  if (verdict.outcome === 'wait') return;
  notice.status = verdict.outcome;
  notice.reason = verdict.reason;
  notice.attempts = 0;
  if (verdict.outcome === 'admitted') state.doorbells.push(`notify ${notice.id}`);
  else wakeEnd(state, notice);
}

function notify(state: State, notice: ModelNotice): void {
  if (notice.status === 'notified' || notice.status === 'dead') return wakeEnd(state, notice);
  if (notice.status !== 'admitted') return;
  if (notice.delivery === 'none') {
    // An end goes to channels that were or may have been told of the incident.
    if (notice.kind === 'resolved' && !mayHaveBeenTold(state, notice.incident)) {
      notice.status = 'suppressed';
      notice.reason = 'no-route';
      return;
    }
    notice.delivery = 'planned';
  }
  if (notice.delivery === 'planned') {
    notice.delivery = 'sending';
    notice.fence++;
    state.workers.push({ notice: notice.id, fence: notice.fence, hasSent: false });
  } else if (notice.delivery === 'sent' || notice.delivery === 'dead') {
    notice.status = notice.delivery === 'sent' ? 'notified' : 'dead';
    wakeEnd(state, notice);
  }
}

function mayHaveBeenTold(state: State, incident: string): boolean {
  return state.notices.some(
    ({ id, incident: of, kind, delivery }) =>
      of === incident &&
      kind !== 'resolved' &&
      (!['none', 'dead'].includes(delivery) || state.pushes.some((push) => push.notice === id)),
  );
}

function send(state: State, index: number): void {
  const worker = state.workers[index];
  const notice = state.notices.find(({ id }) => id === worker?.notice);
  if (worker === undefined || notice === undefined) return;
  worker.hasSent = true;
  const incident = state.incidents.find(([, { id }]) => id === notice.incident)?.[1];
  state.pushes.push({ notice: notice.id, kind: notice.kind, open: incident?.openEpisodes ?? 0 });
}

function mark(state: State, index: number): void {
  const [worker] = state.workers.splice(index, 1);
  const notice = state.notices.find(({ id }) => id === worker?.notice);
  if (notice === undefined || notice.delivery !== 'sending' || notice.fence !== worker?.fence) return;
  notice.delivery = 'sent';
  notify(state, notice);
}

/** A provider that says no for good. */
function refuse(state: State, index: number): void {
  const [worker] = state.workers.splice(index, 1);
  const notice = state.notices.find(({ id }) => id === worker?.notice);
  if (notice === undefined || notice.delivery !== 'sending') return;
  notice.delivery = 'dead';
  notify(state, notice);
}

/** The incident's end may have waited for its beginning. */
function wakeEnd(state: State, { kind, incident }: ModelNotice): void {
  if (kind !== 'opened') return;
  for (const end of state.notices)
    if (end.incident === incident && end.kind === 'resolved' && end.status === 'classified')
      state.doorbells.push(`decide ${end.id}`);
}

function remove(items: string[], item: string): void {
  items.splice(items.indexOf(item), 1);
}
