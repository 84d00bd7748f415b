/**
 * The words a model's note may be made of, besides facts. None of them is a number, a name, a time, a cause, a state, a
 * comparison or a negation: so a sentence of them, true or not, states nothing. What it states, facts state.
 */

/** Everything allowed anywhere. */
export const WORDS: ReadonlySet<string> = new Set(
  `a an and as at be beside by can for from here in into is it its of on or that the their them there these this those to
  up with you your
  ask begin check compare consider continue find follow go inspect keep look note open read review see start take use verify
  watch consult confirm examine investigate describe show tune adjust discuss plan
  next then also again together alongside around
  alert alerts issue issues group item items place side thing list details detail page graph graphs dashboard dashboards
  log logs metric metrics trace traces event events history timeline runbook rule rules threshold thresholds owner owners
  team people service services workload workloads pod pods container containers node nodes host hosts namespace cluster
  memory cpu disk storage volume volumes network quota quotas limit limits request requests resource resources capacity
  probe probes certificate certificates backup backups database databases queue queues connection connections latency
  error errors traffic configuration settings schedule job jobs consumer consumers producer producers
  attention priority important useful worth careful closely carefully side-by-side please`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** Allowed only where the group's facts hold a change that came before its alerts. */
export const CHANGE_WORDS: ReadonlySet<string> = new Set(
  'after rollout rollouts deployment deployments release releases version versions image images change changes'.split(
    ' ',
  ),
);

/** What would change something: only after "consider". */
export const RISKY_WORDS: ReadonlySet<string> = new Set(
  'restart scale roll back drain raise lower'.split(' '),
);
