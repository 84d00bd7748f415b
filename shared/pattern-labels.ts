/**
 * What a label is for, told by its name alone: the table behind the pattern.
 * A role says how the value is read and when it counts (pattern.ts); the reason is what `explain` shows when it does not count.
 * Names are compared without case, separators and the prefixes senders put in front, so `k8s.pod.name`, `kubernetes_pod_name`
 * and `podName` are one row. No alert's name and no product's alert is known here: only kinds of things.
 */

export type Role =
  /** Counted by themselves: which rule, how loud, where. */
  | 'alertname'
  | 'severity'
  | 'cluster'
  | 'namespace'
  /** The thing in trouble. */
  | 'owner'
  | 'replicaset'
  | 'job-name'
  | 'pod'
  | 'object'
  | 'volume'
  | 'target'
  | 'node'
  | 'host'
  | 'part'
  | 'mountpoint'
  | 'name'
  | 'stable-id'
  /** What about it. */
  | 'code'
  | 'status'
  | 'path'
  | 'cgroup'
  | 'word'
  /** The subject's or the exporter's, depending on the others. */
  | 'instance'
  | 'endpoint'
  | 'job'
  | 'service'
  | 'container'
  /** Counted only when something else is missing. */
  | 'address'
  | 'part-detail'
  | 'measure'
  | 'noise';

/** One row of the table: every spelling of one kind of label. */
export interface LabelRow {
  readonly role: Role;
  readonly reason?: string;
  readonly as?: string;
  readonly names: string;
}

/** A rule by words of the name: the last one, any of them, or both. */
export interface WordRow {
  readonly role: Role;
  readonly reason?: string;
  readonly last?: string;
  readonly any?: string;
}

/** Whole names, squashed. One row per kind of thing. */
export const LABEL_ROWS: readonly LabelRow[] = [
  { role: 'alertname', names: 'alertname', reason: 'shown as the name' },
  { role: 'severity', names: 'severity', reason: 'shown as the severity' },
  { role: 'cluster', names: 'cluster', reason: 'shown as the cluster' },
  { role: 'namespace', names: 'namespace namespacename', as: 'namespace' },

  // Owners say what a pod belongs to; better than reading the pod's name.
  {
    role: 'owner',
    as: 'workload',
    names: 'workload workloadname ownername createdbyname deployment deploymentname',
  },
  { role: 'owner', as: 'workload', names: 'statefulset statefulsetname daemonset daemonsetname rollout' },
  { role: 'owner', as: 'workload', names: 'cronjob cronjobname replicationcontroller deploymentconfig' },
  { role: 'replicaset', as: 'workload', names: 'replicaset replicasetname' },
  { role: 'job-name', as: 'workload', names: 'jobname batchkubernetesiojobname' },
  { role: 'pod', as: 'workload', names: 'pod podname' },

  // Things with a name of their own in Kubernetes: where their pod or node runs says nothing more.
  {
    role: 'object',
    as: 'persistentvolumeclaim',
    names: 'persistentvolumeclaim persistentvolumeclaimname pvc claim claimname',
  },
  { role: 'object', as: 'horizontalpodautoscaler', names: 'horizontalpodautoscaler hpa' },
  {
    role: 'object',
    names: 'poddisruptionbudget pdb scaledobject scaledjob ingress resourcequota limitrange secret configmap',
  },
  { role: 'object', names: 'customresource customresourcekind objname objectname involvedobjectname' },
  { role: 'object', names: 'resourcename crd apiservice webhook' },
  { role: 'volume', names: 'persistentvolume pv' },

  // Probe targets are typed by a person: URL, host:port or address, all of it counts.
  { role: 'target', names: 'target probe probetarget monitorurl snmptarget baseurl' },

  // Machines. Node names are never shortened: `web-1` is a machine.
  { role: 'node', as: 'node', names: 'node nodename kubernetesnode' },
  { role: 'host', as: 'node', names: 'hostname hypervisorhostname vcenterhostname agenthost' },
  {
    role: 'host',
    names: 'host machine server member broker peer neighbor neighbour gateway backend upstream remote',
  },

  // Parts of a machine: without the machine they mean nothing, and their numbers are names.
  { role: 'mountpoint', as: 'mountpoint', names: 'mountpoint mountpath mount volumemount' },
  {
    role: 'part',
    names: 'device disk drive blockdevice interface iface nic ifname ifdescr ifalias bond master slave',
  },
  {
    role: 'part',
    names: 'gpu gpuid chip sensor fan psu slot bay outlet bank md array raid controller enclosure',
  },
  { role: 'part', as: 'volume', names: 'volume volumename' },
  { role: 'part', names: 'portname portnum portidx portid switchport partitionname ups battery bcid vdev' },
  { role: 'part-detail', names: 'ifindex', reason: 'the interface has a name' },
  { role: 'part-detail', names: 'fstype', reason: 'detail of a mountpoint' },

  { role: 'name', names: 'name certificate certificatename unit serviceunit process processname groupname' },
  // Random to look at, yet the same for years.
  {
    role: 'stable-id',
    names: 'publickey serial serialnumber wwn wwid mac macaddress macaddr imei eui ieeeaddr guid arn fsid',
  },
  {
    role: 'stable-id',
    names: 'deviceid sensorid volumeid instanceid hostid zoneid appid tenantid orgid accountid projectid',
  },
  {
    role: 'stable-id',
    names: 'clusterid databaseid channelid siteid subscriptionid nodeid poolid storeid loadbalancer',
  },
  {
    role: 'stable-id',
    names:
      'targetgroup dbinstanceidentifier peerkey vmid ctid asn vlan vlanid fingerprint commonname cn sans serialno',
  },

  { role: 'code', names: 'code statuscode httpcode httpstatus httpstatuscode responsecode statusclass' },
  { role: 'status', names: 'status state' },
  { role: 'path', names: 'url uri path route handler endpointurl repourl destserver requestpath urlpath' },
  { role: 'cgroup', names: 'id', reason: 'cgroup of something already named' },
  // Asked for by name although a word in them sounds like a number, a time or an id.
  {
    role: 'word',
    names: 'index size schedule usage rate operation tag repo task querytype remotename rolename',
  },

  { role: 'instance', names: 'instance' },
  { role: 'endpoint', names: 'endpoint', reason: 'scrape label' },
  { role: 'job', names: 'job' },
  { role: 'service', names: 'service' },
  { role: 'container', names: 'container containername' },

  {
    role: 'address',
    names: 'ip ipaddr ipaddress address addr ipv4 ipv6',
    reason: 'address of something already named',
  },

  {
    role: 'noise',
    reason: 'replica label',
    names: 'prometheus prometheusreplica replica ruler thanosruler receive prometheusgroup',
  },
  {
    role: 'noise',
    reason: 'scrape label',
    names: 'metricspath scheme scrapejob scrapeinterval scrapepool',
  },
  {
    role: 'noise',
    reason: 'kind of a named thing',
    names: 'ownerkind createdbykind workloadtype ownerapiversion owneriscontroller',
  },
  {
    role: 'noise',
    reason: 'bookkeeping of the rule',
    names: 'alertgroup refid datasourceuid alertruleuid alertrulenamespaceuid alertid ruleuid',
  },
  { role: 'noise', reason: 'bucket of a histogram', names: 'le quantile' },
  {
    role: 'measure',
    reason: 'number of a part that is many',
    names: 'cpu core shard partition shardordinal ordinal podindex taskslot replicaid',
  },
  { role: 'noise', reason: 'port', names: 'port portnumber' },
  { role: 'noise', reason: 'where it runs', names: 'podip podips' },
  {
    role: 'noise',
    reason: 'changes with a rollout',
    names: 'podtemplatehash controllerrevisionhash chart helmshchart releaseversion build',
  },
  {
    role: 'noise',
    reason: 'ephemeral id',
    names: 'uid uuid pid tid batch batchid traceid spanid requestid sessionid jobid correlationid',
  },
  {
    role: 'noise',
    reason: 'free text',
    names: 'description summary message title text details runbook runbookurl dashboard dashboardurl',
  },
];

/** Rules by the last or any word of a name, for the names no table can list; the first that fits counts. */
export const WORD_ROWS: readonly WordRow[] = [
  { role: 'noise', reason: 'replica label', last: 'replica' },
  {
    role: 'stable-id',
    any: 'peer neighbor neighbour gateway nexthop router',
    last: 'ip addr address id as asn',
  },
  { role: 'code', any: 'http status response', last: 'code status class' },
  {
    role: 'noise',
    reason: "someone else's address",
    any: 'src attacker offender visitor client user login',
    last: 'ip addr address port country mac asn city host',
  },
  { role: 'noise', reason: "someone else's address", any: 'source remote', last: 'ip port country asn' },
  { role: 'noise', reason: 'where it runs', any: 'topology' },
  { role: 'noise', reason: 'where it runs', any: 'failure', last: 'domain region zone' },
  {
    role: 'noise',
    reason: 'ephemeral id',
    last: 'uid uuid hash sha sha1 sha256 digest checksum nonce token etag cookie',
  },
  {
    role: 'noise',
    reason: 'ephemeral id',
    any: 'request trace span run session execution executor task build job alloc allocation transaction txn tx query connection conn batch message msg event correlation order payment invoice customer visitor ticket process thread upload download transfer attempt container pod snapshot incident alert image user',
    last: 'id ids key number no',
  },
  {
    role: 'noise',
    reason: 'changes with a rollout',
    last: 'version revision commit image digest generation sha build',
  },
  { role: 'noise', reason: 'changes with a rollout', any: 'image' },
  {
    role: 'noise',
    reason: 'time',
    last: 'time timestamp ts date datetime epoch since until started finished created updated expires at day hour',
  },
  {
    role: 'noise',
    reason: 'free text',
    last: 'message msg description summary text details stacktrace sql output dashboard runbook',
  },
  { role: 'noise', reason: 'port', last: 'port' },
  {
    role: 'measure',
    reason: 'value',
    last: 'value values count total percent percentage pct ratio rate threshold usage utilization bytes score avg sum current size lag offset seconds minutes hours days ms duration age latency temperature load attempts attempt retry retries restarts length depth replicas desired actual expected ready pending errors failures failed connections requests messages items rows max min window interval timeout limit line weight iteration step delay uptime free used available quantity amount number numbers',
  },
  { role: 'pod', last: 'pod' },
  { role: 'host', last: 'host hostname node server instance member broker' },
  { role: 'path', last: 'url uri path route' },
  { role: 'address', reason: 'address of something already named', last: 'ip addr address' },
];
