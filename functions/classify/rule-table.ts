/**
 * What alert vocabulary means: rows of words, read from top to bottom, the first fitting row decides.
 *
 * `NAMED_ROWS` know a product or an unmistakable condition, `SYMPTOM_ROWS` only what the trouble looks like,
 * `FALLBACK_ROWS` only everyday words. A row is never the name of one alert: its words are vocabulary many authors share.
 * Words are lower-case; `rabbit-mq` stands for "rabbitmq", "RabbitMQ", "rabbit_mq" and "rabbit mq"; a plural finds its
 * singular. In next steps NAMESPACE, POD, NODE, CONTAINER, DEPLOYMENT, JOB and PVC are replaced by safe label values.
 */
import type { Severity } from '../../shared/severity.ts';
import type { Category, RuleInput } from './rules.ts';

/** One line of the table: when all its word lists are met, it decides the category and what to do first. */
export interface RuleRow {
  /** Kebab-case, unique, shown to people as the reason. */
  readonly name: string;
  readonly category: Category;
  /** One of these words stands in the alert's name itself. */
  readonly title?: string;
  /** And one of these anywhere the pass looks. */
  readonly words?: string;
  /** And one of these. */
  readonly and?: string;
  /** And one of these in any field, names of labels included. */
  readonly context?: string;
  /** And none of these. */
  readonly not?: string;
  /** The least severity a person would give; null when the words alone do not tell. */
  readonly floor: Severity | null;
  readonly likelyNoise?: true;
  readonly nextStep: string;
  /** A hand-made alert that this row decides; the test holds every row to it. */
  readonly example: RuleInput;
}

const DOWN =
  'down unavailable unreachable missing absent offline dead disconnected disappeared gone lost crashed not-running';
const FAILING =
  'fail failed failing failure error stuck broken unhealthy degraded corrupt corrupted corruption';
const HTTP_ERRORS =
  '4xx 5xx http4xx http5xx http-error error-rate success-rate request-error response-error request-rate latency slow request-latency response-time request-duration response code';
const DATABASES =
  'postgres postgre-sql pg-up pg-stat pg-replication pg-locks pg-settings pg-database pg-exporter pgsql cnpg cloudnative-pg patroni stolon pg-bouncer pgpool pgcat timescale timescaledb my-sql mysqld maria-db percona galera wsrep innodb proxy-sql maxscale vitess vttablet vtgate tidb tikv mongo mongo-db mongod atlas redis valkey key-db dragonfly memcached couch-db couchbase cassandra hints-stored hinted tombstone memtable sstable keyspace scylla scylla-db click-house elastic elastic-search open-search solr influx influx-db cockroach cockroach-db crdb oracle oracle-db mssql sql-server hana hanadb db2 aerospike h-base region-server hazelcast ignite neo4j arango-db arangodb dgraph rethink-db quest-db druid pinot snowflake redshift rds aurora dynamo-db cosmos-db document-db elasticache big-query spanner cloud-sql flexible-server dbforpostgresql dbformysql meilisearch typesense weaviate qdrant milvus chroma sqlite firebird sybase presto trino yugabyte yugabyte-db yb foundation-db janusgraph orient-db surreal-db rqlite immu-db manticore sphinx zilliz single-store mem-sql vertica greenplum teradata informix star-rocks doris';
const QUEUES =
  'rabbit-mq kafka strimzi redpanda nats gnatsd jetstream pulsar bookkeeper bookie active-mq artemis zoo-keeper zk nsq nsqd ibm-mq rocket-mq sqs sns mqtt mosquitto emqx verne-mq hive-mq pub-sub service-bus event-hub kinesis sidekiq celery resque bull-mq faktory beanstalkd gearman amqp qpid solace debezium burrow mirrormaker cruise-control delayedjob delayed-job';
const OBSERVABILITY =
  'prometheus alertmanager alert-manager thanos cortex mimir loki tempo jaeger zipkin otel otelcol open-telemetry promtail alloy grafana pushgateway push-gateway promscale victoria-metrics victoria-logs vm-agent vm-alert vm-storage vm-select vm-insert vm-cluster vm-single vm-auth vm-anomaly fluentd fluent-bit fluent logstash filebeat metricbeat kibana graylog telegraf statsd datadog newrelic new-relic pyroscope parca m3 m3db graphite alertgest tsdb observability zabbix nagios checkmk opencost-exporter uptimekuma statuspage healthchecks metrics-server metric-server quickwit signoz sentry';
const PROXIES =
  'ha-proxy envoy istio istiod linkerd traefik nginx ingress ingress-nginx varnish squid kong apisix contour ambassador emissary gloo skipper tyk kuma openresty load-balancer alb elb nlb apigw api-gateway service-mesh mesh osm';
const DISKS =
  'disk filesystem file-system fs inode mountpoint mount drive hdd ssd nvme sector lun partition-full mdadm raid md-disks logical-disk datastore';

/** Rows that know the product, or a condition that is the same whatever the product. */
export const NAMED_ROWS: readonly RuleRow[] = [
  // Alerts about alerting
  {
    name: 'always-firing-heartbeat',
    category: 'meta',
    title: 'watchdog dead-man always-firing heartbeat-alert',
    not: 'kernel bmc ipmi',
    floor: 'none',
    likelyNoise: true,
    nextStep: 'Nothing to do while it fires: it proves that alerting works. Act only when it stops.',
    example: makeExample('PipelineDeadMansSwitch', 'Fires all the time to prove delivery'),
  },
  {
    name: 'inhibition-helper',
    category: 'meta',
    title: 'inhibitor inhibition',
    floor: 'none',
    likelyNoise: true,
    nextStep: 'Nothing to do: it exists to mute other alerts. Route it nowhere.',
    example: makeExample('LowSeverityInhibitor', 'Mutes info alerts'),
  },
  {
    name: 'test-alert',
    category: 'meta',
    words: 'test-alert alert-test alertrule-test rule-test a-test',
    title: 'test testing',
    floor: null,
    nextStep: 'Someone is trying the alert path: check that it arrived where it was meant to.',
    example: makeExample('TestAlert', 'This is a test'),
  },
  {
    name: 'scrape-target-down',
    category: 'meta',
    title: 'target-down target-missing target-unreachable target-lost scrape-target',
    not: 'snmp',
    floor: 'warning',
    nextStep:
      'Open the target in Prometheus and read its last scrape error; then check whether the service itself runs.',
    example: makeExample('TargetMissing', 'A target has disappeared'),
  },
  {
    name: 'exporter-broken',
    category: 'meta',
    title: 'exporter collector scrape textfile kube-state metrics-down metrics-missing metrics-absent',
    and: `${DOWN} ${FAILING} stale slow empty sharding shard collection scrape-time high-scrape api list watch`,
    not: 'cpu memory descriptors context zombie',
    floor: 'warning',
    nextStep:
      'The measuring is broken, not necessarily the thing measured: open the target in Prometheus and read the exporter’s log.',
    example: makeExample('WeatherStationExporterDown', 'The exporter has not answered for 5 minutes'),
  },

  // Trust: certificates, identity, intrusion
  {
    name: 'certificate',
    category: 'security',
    title:
      'certificate cert x509 cert-manager acme lets-encrypt ssl tls ocsp pki issuer cluster-issuer spiffe spire',
    floor: 'warning',
    nextStep:
      'Check the expiry date and the last renewal attempt: kubectl get certificate,order,challenge -A, or openssl s_client against the host.',
    example: makeExample(
      'IngressCertificateExpiresSoon',
      'The certificate of shop.example.org expires in 6 days',
    ),
  },
  {
    name: 'certificate-expiry',
    category: 'security',
    words: 'certificate cert tls ssl x509',
    and: 'expire expired expiring expiry expiration renew renewal not-after revoked',
    floor: 'warning',
    nextStep:
      'Check the expiry date and the last renewal attempt: kubectl get certificate,order,challenge -A, or openssl s_client against the host.',
    example: makeExample('ProbeExpiry', 'The TLS certificate expires in 3 days'),
  },
  {
    name: 'sign-in-failures',
    category: 'security',
    title:
      'auth-fail auth-failed auth-failure auth-error authentication authorization unauthorized unauthenticated login-failure login-failed login-fail login-attempt failed-login failed-auth failed-sign access-denied permission-denied forbidden brute-force invalid-credential invalid-token csrf ssh root-login',
    not: 'keycloak',
    floor: 'warning',
    nextStep:
      'Find the source address and account of the failed sign-ins, then decide: expired credential, or attack.',
    example: makeExample('ForumAuthenticationFailures', 'Many failed logins in 10 minutes'),
  },
  {
    name: 'intrusion-signal',
    category: 'security',
    title:
      'fail2ban crowd-sec falco wazuh suricata snort ossec zeek tetragon tracee sysdig intrusion malware ransomware clam-av virus rootkit crypto-miner waf mod-security threat ddos attack audit rbac privilege privileged escalation exposed leak leaked exfiltration ban banned blocked-request request-blocked security-blocked blocklist blacklisted honeypot security',
    not: 'memory-leak goroutine-leak fd-leak connection-leak thread-leak vpn tunnel backup openstack',
    floor: 'warning',
    nextStep: 'Look at who did what from where in the last hour before closing anything; keep the logs.',
    example: makeExample('FalcoShellInContainer', 'A shell was started in a container'),
  },
  {
    name: 'vulnerability-scan',
    category: 'security',
    words:
      'cve vulnerability vulnerabilities trivy kubescape kube-bench kyverno gatekeeper opa policy-violation grype clair snyk nuclei compliance version-checker outdated-image openscap lynis scanned severity-resource',
    not: 'network-policy',
    floor: 'info',
    nextStep:
      'Check whether a fixed image exists and whether the affected service is reachable from outside.',
    example: makeExample('CriticalVulnerabilitiesFound', 'Trivy found 3 critical CVEs in a running image'),
  },
  {
    name: 'secrets-store',
    category: 'security',
    words:
      'vault openbao sealed-secret external-secret eso secret-store infisical vaultwarden bitwarden onepassword unsealed sealed cyberark conjur sops hsm',
    not: 'snapshot backup',
    floor: 'warning',
    nextStep:
      'Check whether the store is sealed or unreachable (vault status); everything that reads secrets depends on it.',
    example: makeExample('VaultIsSealed', 'The vault is sealed'),
  },
  {
    name: 'identity-provider-slow',
    category: 'application',
    words: 'keycloak authentik authelia zitadel dex oauth o-auth oauth2 o-auth2 hydra kratos okta',
    and: 'slow latency response-time request-duration',
    floor: null,
    nextStep:
      'Look at the response times and the database of the identity provider; sign-ins are slow everywhere.',
    example: makeExample('AuthentikSlowResponses', 'Requests take more than 2 seconds'),
  },
  {
    name: 'identity-provider',
    category: 'security',
    words:
      'keycloak keystone identity authentik authelia zitadel dex oauth o-auth oauth2 o-auth2 hydra kratos okta ldap open-ldap freeipa kerberos kdc active-directory teleport sso saml oidc',
    not: 'argo disk cpu memory cilium',
    floor: 'warning',
    nextStep:
      'Try to sign in yourself, then read the identity provider’s log: nobody else can sign in either.',
    example: makeExample('KeycloakLoginsFailing', 'No successful logins for 15 minutes'),
  },

  // Copies of data
  {
    name: 'backup-failed',
    category: 'backup',
    title:
      'backup backed not-backed velero restic borg borgmatic borgbackup kopia duplicati duplicity vol-sync k8up kasten back-rest pgbackrest barman wal-g wal-archive archive-fail archiver archiving archived rsnapshot veeam bacula bareos ur-backup snapraid rdb-last rdb-save sanoid syncoid restore litestream offsite off-site',
    not: 'ha-proxy envoy',
    floor: 'warning',
    nextStep:
      'Run the backup again by hand and read its last log lines; note how old the newest good copy is.',
    example: makeExample('NightlyBackupFailed', 'The backup of the photo library failed'),
  },
  {
    name: 'backup-system',
    category: 'backup',
    words:
      'velero restic borg borgmatic kopia duplicati vol-sync k8up kasten back-rest pgbackrest barman veeam bacula bareos litestream',
    floor: 'warning',
    nextStep:
      'Run the backup again by hand and read its last log lines; note how old the newest good copy is.',
    example: makeExample('CopyTooOld', 'The newest restic copy of the photos is 3 days old'),
  },
  {
    name: 'snapshot-failed',
    category: 'backup',
    title: 'snapshot',
    not: 'etcd thanos cortex elastic-search prometheus raft zoo-keeper',
    floor: 'warning',
    nextStep: 'Check when the last good snapshot was taken and whether old ones pile up.',
    example: makeExample('OutdatedVmSnapshots', 'Snapshots older than 3 days'),
  },
  {
    name: 'guest-replication-failed',
    category: 'backup',
    words: 'pve proxmox zrepl drbd-replication',
    and: 'replication',
    floor: 'warning',
    nextStep: 'Start the replication job by hand and read its log; note how old the copy is.',
    example: makeExample('ProxmoxReplicationStale', 'The guest replication has not run'),
  },

  // Tunnels
  {
    name: 'vpn',
    category: 'vpn',
    words:
      'vpn open-vpn wire-guard wg tail-scale head-scale gluetun ipsec ike ikev2 strongswan libreswan zero-tier netbird netmaker openconnect ocserv anyconnect mullvad protonvpn nordvpn kill-switch l2tp pptp softether tinc innernet firezone pritunl amnezia shadowsocks towonel frpc frps rathole chisel pangolin ngrok zrok inlets tunnel-down',
    floor: 'warning',
    nextStep:
      'Check the last handshake and the public address seen through the tunnel, then restart the tunnel and see whether it comes back.',
    example: makeExample('WireguardHandshakeTooOld', 'No handshake for 5 minutes'),
  },
  {
    name: 'vpn-tunnel',
    category: 'vpn',
    words: 'tunnel vps-edge',
    not: 'cilium vxlan geneve cloudflared cloudflare overlay ssh gre',
    floor: 'warning',
    nextStep: 'Check whether the tunnel has sessions on both ends and whether the far end can be reached.',
    example: makeExample('EdgeTunnelNoSession', 'No agent session in the tunnel'),
  },

  // Watching, listening, downloading
  {
    name: 'media-service',
    category: 'media',
    words:
      'plex jellyfin emby sonarr radarr lidarr readarr prowlarr bazarr whisparr mylar overseerr jellyseerr seerr ombi tautulli q-bittorrent bittorrent torrent transmission-daemon deluge rtorrent rutorrent sabnzbd sa-bnzbd nzb-get nzb usenet autobrr cross-seed unpackerr recyclarr notifiarr maintainerr jackett flaresolverr tdarr handbrake kodi immich photoprism navidrome airsonic subsonic audiobookshelf kavita komga calibre stash tvheadend ersatztv threadfin xteve dispatcharr slskd soulseek metube tubearchivist pinchflat jdownloader pyload transcode transcoder transcoding frigate owncast peertube icecast media-server media-library arr kometa qbitmanage wizarr requestrr indexer',
    not: 'elastic elastic-search open-search solr graph',
    floor: null,
    nextStep:
      'Open the service’s own status page and log, then check its media mount and its download client.',
    example: makeExample('SonarrQueueStuck', 'Items do not leave the download queue'),
  },

  // Money
  {
    name: 'licence-or-seats',
    category: 'business',
    title:
      'license licence licensing subscription-expiry subscription-expires user-capacity seat user-limit account-active account-not account-suspended',
    floor: 'warning',
    nextStep: 'Check the end date and the number of seats with the vendor, and who signs the renewal.',
    example: makeExample('WikiLicenseExpiring', 'The license ends in 7 days'),
  },
  {
    name: 'money-and-customers',
    category: 'business',
    title:
      'payment checkout refund revenue signup sign-up churn conversion invoice fraud inventory sku stock cart basket billing cost spend spending budget subscription customer merchant chargeback decline bounce-rate campaign submission orders order-rate sales booking purchase paywall kpi mrr trial trial-to withdrawal deposit wallet shipment account-balance payout promotion coupon',
    not: 'error-budget burn burn-rate disruption-budget pdb disruption balancer query apiserver slo pulsar pub-sub service-bus topic backlog nats mqtt kafka container pod api http 4xx 5xx error-rate latency',
    floor: 'warning',
    nextStep:
      'Compare with the same hour last week, then check the provider’s status page and the last release of the paying path.',
    example: makeExample('CheckoutConversionLow', 'Fewer checkouts than normal'),
  },
  {
    name: 'provider-quota',
    category: 'business',
    words: 'rate-limited quota-exhausted provider-limit',
    title: 'ai llm openai provider',
    floor: 'warning',
    nextStep: 'Check the provider’s quota page and which caller uses it up.',
    example: makeExample('LlmProviderRateLimited', 'The AI provider rate-limits us'),
  },

  // Watching the watchers
  {
    name: 'cloud-api-metrics',
    category: 'meta',
    words:
      'stackdriver azurerm azure-metrics cloudwatch yace azure-api azure-exporter cloudwatch-api cloudwatch-requests',
    and: 'scrape exporter api ratelimit rate-limit stats collect monitoring requests',
    floor: 'warning',
    nextStep: 'Check the exporter’s quota at the cloud’s API; until then the cloud’s metrics are old.',
    example: makeExample('AzureApiLimitNear', 'The metrics exporter nears the API rate limit'),
  },
  {
    name: 'monitoring-down',
    category: 'meta',
    words: OBSERVABILITY,
    and: `${DOWN} corrupted corruptions not-ingesting no-alertmanagers`,
    title: 'down missing absent corrupted corruptions disappeared unavailable unreachable',
    not: 'redis postgres node-exporter istio envoy ha-proxy linkerd traefik mixer',
    floor: 'warning',
    nextStep:
      'Until it is back, silence proves nothing: check the pod and its disk (kubectl -n NAMESPACE get pods), then what it failed to evaluate.',
    example: makeExample('AlertmanagerClusterDown', 'Half of the instances are down'),
  },
  {
    name: 'monitoring-stack',
    category: 'meta',
    words: `${OBSERVABILITY} config-reloader datasource-error recording-rule scrape-pool log-pipeline logging-pipeline logging log-collection vector-sink`,
    not: 'istio envoy ha-proxy linkerd traefik mixer',
    floor: null,
    nextStep:
      'Read the component’s log and its own dashboard; while it fails, other alerts may be late or missing.',
    example: makeExample('LokiRequestErrors', 'Loki answers with errors'),
  },

  // The cluster's own memory
  {
    name: 'etcd-in-danger',
    category: 'workload',
    words: 'etcd',
    and: 'no-leader leader-lost insufficient-members insufficient quorum members-down down database-size quota space-exceeded',
    not: 'certificate',
    floor: 'critical',
    nextStep:
      'Check members and disk latency (etcdctl endpoint status --cluster); without a majority nothing in the cluster can change.',
    example: makeExample('EtcdHasNoLeader', 'The member has no leader'),
  },
  {
    name: 'etcd',
    category: 'workload',
    words: 'etcd',
    floor: 'warning',
    nextStep:
      'Check disk latency and member health (etcdctl endpoint status --cluster) before it loses its leader.',
    example: makeExample('EtcdSlowCommits', 'Commits to etcd are slow'),
  },

  // Data and messages
  {
    name: 'database-down',
    category: 'database',
    words: DATABASES,
    and: `${DOWN} data-loss`,
    title: `${DOWN} loss up not-up`,
    not: 'deadlock dead-lock region-server slave replica connections index collections relocating node instance queue',
    floor: 'critical',
    nextStep:
      'Check that the process runs and accepts a connection (kubectl -n NAMESPACE get pods), then its log and its disk; do not restart twice in a row.',
    example: makeExample('MariadbDown', 'The database does not answer'),
  },
  {
    name: 'database-replication',
    category: 'database',
    words: DATABASES,
    and: 'replication replica slave lag standby secondary oplog wsrep sync',
    floor: 'warning',
    nextStep:
      'Check how far the replica is behind and whether its thread runs before anyone fails over to it.',
    example: makeExample('MysqlReplicaLag', 'The replica is 60 seconds behind'),
  },
  {
    name: 'database-connections',
    category: 'database',
    words: DATABASES,
    and: 'connection sessions clients pool max-connections',
    floor: null,
    nextStep:
      'List the open connections by client and state, and look for one service that does not give them back.',
    example: makeExample('PostgresTooManyConnections', '90% of the connections are used'),
  },
  {
    name: 'database-space',
    category: 'database',
    words: DATABASES,
    and: 'disk storage space tablespace filesystem volume watermark',
    floor: 'warning',
    nextStep: 'Check what grew (logs, indexes, one table) and give it room before it turns read-only.',
    example: makeExample('CassandraDiskSpaceLow', 'Less than 10% free'),
  },
  {
    name: 'database',
    category: 'database',
    words: DATABASES,
    floor: null,
    nextStep:
      'Look at the database’s slowest statements, its locks and the last change of its configuration.',
    example: makeExample('RedisEvictionsHigh', 'Keys are evicted'),
  },
  {
    name: 'queue-down',
    category: 'queue',
    words: QUEUES,
    and: `${DOWN} no-leader offline-partitions`,
    title: `${DOWN} no`,
    not: 'consumer subscriber dead-letter',
    floor: 'critical',
    nextStep:
      'Check that the broker runs and has its disk (kubectl -n NAMESPACE get pods); producers may be blocked or losing messages.',
    example: makeExample('RabbitmqNodeDown', 'One broker node is down'),
  },
  {
    name: 'queue-backlog',
    category: 'queue',
    words: `${QUEUES} message-queue messages-queue job-queue`,
    and: 'lag backlog consumer pending unacked unacknowledged depth messages topic subscriber dead-letter waiting queue-size',
    floor: null,
    nextStep: 'Check that consumers run and keep up, and what the oldest waiting message is.',
    example: makeExample('KafkaConsumerLag', 'A consumer group falls behind'),
  },
  {
    name: 'queue',
    category: 'queue',
    words: QUEUES,
    floor: null,
    nextStep: 'Look at the broker’s own overview (memory, disk, connections) and at its log.',
    example: makeExample('NatsTooManyRoutes', 'More routes than usual'),
  },

  // Delivery of software
  {
    name: 'compute-cluster',
    category: 'node',
    words: 'mesos marathon slurm htcondor',
    floor: 'warning',
    nextStep: 'Check the cluster’s coordinator and how many agents it still sees.',
    example: makeExample('SlurmNodesDrained', 'Many nodes take no work'),
  },
  {
    name: 'gitops',
    category: 'workload',
    words:
      'argo-cd argo argocd-app flux flux-cd kustomization helm-release helmrelease gitrepository gitops doco-cd rancher-fleet keda keel crossplane knative tekton-operator',
    not: 'volume vol-sync galera mongo-db influx',
    floor: null,
    nextStep:
      'Read the message of the application or kustomization that does not converge, then the last commit it saw.',
    example: makeExample('ArgocdAppOutOfSync', 'The application does not sync'),
  },
  {
    name: 'build-and-release',
    category: 'application',
    words:
      'gitlab git-lab gitaly jenkins spinnaker clouddriver front50 rosco gitea forgejo github drone woodpecker teamcity bamboo circleci buildkite tekton concourse sonarqube nexus artifactory harbor renovate runner pipeline-failed build-failed gocd',
    not: 'etl kubelet',
    floor: null,
    nextStep:
      'Open the last failed run and check whether the fault is in the job, the runner or the service itself.',
    example: makeExample('JenkinsBuildsFailing', 'Half of the builds fail'),
  },

  // Bytes at rest
  {
    name: 'pool-degraded',
    category: 'storage',
    and: 'degraded faulted suspended data-loss unrecoverable damaged health-error',
    not: 'node-pool connection-pool thread-pool collector exporter',
    title:
      'zfs zpool ceph rook longhorn gluster glusterfs minio openebs raid mdadm btrfs drbd linstor portworx pool nas truenas synology array',
    floor: 'critical',
    nextStep:
      'Check pool or array state first (zpool status, ceph -s, cat /proc/mdstat) and do not reboot before a failed disk is identified.',
    example: makeExample('ZpoolDegraded', 'A pool is not ONLINE'),
  },
  {
    name: 'storage-member-failed',
    category: 'storage',
    and: 'critical offline failed failure down unavailable inconsistent insufficient unhealthy',
    not: 'node-pool connection-pool thread-pool collector exporter',
    title:
      'zfs zpool ceph rook longhorn gluster glusterfs minio openebs raid mdadm btrfs drbd linstor portworx pool nas truenas synology array',
    floor: 'warning',
    nextStep:
      'Find the disk, brick or daemon that failed (ceph osd tree, cat /proc/mdstat) and check that the rest still has redundancy.',
    example: makeExample('GlusterBrickDown', 'A brick is offline'),
  },
  {
    name: 'drive-health',
    category: 'storage',
    words:
      'smart smartctl smartd smartmon s-mart smartdevice reallocated pending-sector uncorrectable-sector uncorrectable-disk media-error wearout wear-out available-spare nv-me disk-health drive-health disk-temperature drive-temperature critical-warning',
    not: 'meter plug home uncorrectable-ecc',
    floor: 'warning',
    nextStep:
      'Read the drive’s own report (smartctl -a on NODE), check that the backup is fresh, and order a replacement.',
    example: makeExample('SmartReallocatedSectors', 'A drive reallocates sectors'),
  },
  {
    name: 'storage-system',
    category: 'storage',
    words:
      'zfs zpool ceph rook osd mds rgw placement-group rados gluster glusterfs glusterd thinpool lvm btrfs xfs nfs cifs smb iscsi i-scsi minio longhorn openebs mayastor jiva linstor drbd portworx netapp trident ontap purestorage seaweedfs garage swift cinder manila glance s3 object-storage objectstore bucket-usage hdfs name-node namenode data-node datanode hadoop-hdfs dead-data syncthing truenas free-nas synology unraid nas qnap openmediavault mdadm juicefs lustre beegfs moosefs storage-pool csi topolvm local-path scrub resilver multipath storagebox vsan emc powerstore isilon fdfs weka ozone alluxio',
    not: 'elastic solr kube-apiserver hive',
    floor: null,
    nextStep:
      'Check the storage system’s own status and free space, then which disk, brick or node is named in the alert.',
    example: makeExample('CephMonClockSkew', 'Monitors disagree about the time'),
  },
  {
    name: 'power-supply-low',
    category: 'node',
    words: 'ups battery nut apc upsd',
    and: 'low critical runtime shutdown charge',
    not: 'temperature back-online replace',
    title: 'ups battery nut apc',
    floor: 'critical',
    nextStep:
      'Check how many minutes the battery has left and shut down storage and databases cleanly before it is empty.',
    example: makeExample('UpsBatteryLow', 'The battery is almost empty'),
  },
  {
    name: 'power-supply',
    category: 'node',
    words:
      'ups battery nut apc apcupsd upsd pdu psu mains power-supply power-outage line-voltage voltage amperage',
    floor: 'warning',
    nextStep: 'Check whether the mains are out and how many minutes the battery has left.',
    example: makeExample('PduVoltageOdd', 'Voltage outside its range'),
  },
  {
    name: 'machine-hardware',
    category: 'node',
    words:
      'ipmi bmc idrac ilo redfish edac ecc hwmon temperature overtemperature over-temperature thermal fan chassis gpu dcgm xid nvidia mce machine-check rasdaemon microcode pcie-bus pci-bus bus-error pcie',
    not: 'disk drive smart smartctl nv-me litellm ollama vllm',
    floor: 'warning',
    nextStep:
      'Read the sensors on the machine itself (sensors, ipmitool sel list) and check fans and room temperature.',
    example: makeExample('ServerFanFailed', 'A fan stands still'),
  },
  {
    name: 'machine-clock',
    category: 'node',
    words: 'clock ntp ntpd chrony timesync time-sync clock-skew time-drift timex',
    floor: 'warning',
    nextStep: 'Check the time source on the node (chronyc tracking); certificates and databases suffer next.',
    example: makeExample('ClockSkewDetected', 'The clock is off by a second'),
  },

  // Paths between things
  {
    name: 'reachability',
    category: 'network',
    title: 'ping icmp traceroute mtr packet-loss round-trip rtt jitter',
    floor: 'warning',
    nextStep: 'Trace the path (mtr) from inside and outside and see at which hop packets get lost.',
    example: makeExample('UplinkPacketLoss', 'More than 5% of the packets are lost'),
  },
  {
    name: 'proxy-http-errors',
    category: 'application',
    words: `${PROXIES} caddy`,
    and: HTTP_ERRORS,
    title:
      '4xx 5xx http4xx http5xx http error rate latency slow response request duration success code status',
    not: 'connection health pending reload timeout denied retry retries conn circuit',
    floor: null,
    nextStep:
      'Find the backend or route that answers with errors, then read that service’s log, not the proxy’s.',
    example: makeExample('TraefikHighHttp5xxErrorRate', 'More than 5% of the answers are 5xx'),
  },
  {
    name: 'proxy',
    category: 'network',
    words: PROXIES,
    floor: null,
    nextStep: 'Check whether backends are up and whether the last configuration was loaded.',
    example: makeExample('HaproxyBackendMaxSessions', 'A backend is out of sessions'),
  },
  {
    name: 'name-resolution',
    category: 'network',
    words:
      'dns core-dns coredns kube-dns nodelocaldns adguard ad-guard pihole pi-hole unbound dnsmasq powerdns knot-resolver bind9 external-dns externaldns nameserver nxdomain servfail ddns blocky technitium resolver',
    not: 'exposed',
    floor: 'warning',
    nextStep: 'Resolve a name against this server yourself (dig @server example.org) and check its upstream.',
    example: makeExample('CorednsErrorsHigh', 'SERVFAIL answers rise'),
  },
  {
    name: 'cluster-network',
    category: 'network',
    words:
      'cilium hubble calico felix bird flannel antrea multus weave kube-router kube-ovn ovn ovs openvswitch kube-proxy kube-vip kubevip metallb metal-lb network-policy networkpolicy cni vip keepalived vrrp nodeport node-network network-unavailable neutron',
    floor: null,
    nextStep: 'Check whether pods on NODE reach others, then the network agent on that node and its log.',
    example: makeExample('CalicoFelixErrors', 'Felix cannot program routes'),
  },
  {
    name: 'network-device',
    category: 'network',
    words:
      'snmp junos juniper cisco mikrotik routeros unifi ubiquiti opnsense op-nsense pfsense pf-sense openwrt omada fortigate fortinet palo-alto paloalto arista meraki aruba bgp ospf isis lldp vlan wifi wlan access-point router firewall f5 big-ip bigip citrix netscaler dhcp kea gateway wan internet isp speedtest speed-test starlink modem dsl fritzbox fritz ptp-link mpls netflow consul serf smokeping switchport port-flapping spanning-tree stp poe cloudflare cloudflared lte sip-trunk ppp pppoe',
    not: 'store-gateway storegateway cpu-exporter ups',
    floor: null,
    nextStep:
      'Check link and neighbours on the device itself, and whether everything behind it is affected too.',
    example: makeExample('RouterBgpSessionLost', 'A BGP neighbour is gone'),
  },

  // Programs and their runtimes
  {
    name: 'cpu-throttled',
    category: 'workload',
    title: 'throttling throttled',
    words: 'cpu container cfs',
    floor: 'info',
    likelyNoise: true,
    nextStep: 'Only slow, not broken: compare the CPU limit with real use when people notice latency.',
    example: makeExample('CpuThrottlingHigh', 'A container is throttled'),
  },
  {
    name: 'out-of-memory-kill',
    category: 'workload',
    title: 'oom oom-killed oom-killer oom-kill',
    not: 'host node kernel',
    floor: 'warning',
    nextStep:
      'Look at the last termination reason and the memory limit: kubectl -n NAMESPACE describe pod POD.',
    example: makeExample('ContainerOomKilled', 'A container was killed for memory'),
  },
  {
    name: 'crash-loop',
    category: 'workload',
    title: 'crash-loop crash-looping crash-loopback restart restarting restarted',
    not: 'flink spark airflow systemd reboot host node server windows apache asterisk',
    floor: 'warning',
    nextStep:
      'Read why it died: kubectl -n NAMESPACE logs POD --previous, then kubectl -n NAMESPACE describe pod POD.',
    example: makeExample('ApiPodCrashLooping', 'A pod restarts again and again'),
  },
  {
    name: 'application-product',
    category: 'application',
    words:
      'php fpm tomcat wildfly jboss jetty spring spring-boot iis flink spark hadoop yarn nodemanager resourcemanager mapreduce map-reduce airflow dagster prefect django rails laravel discourse asterisk free-switch kamailio ollama litellm lite-llm vllm nextcloud owncloud wordpress ghost karakeep home-assistant hass zigbee zigbee2mqtt esphome zwave mattermost rocketchat matrix synapse dotnet aspnet uwsgi gunicorn uvicorn nodejs deno graph-node subgraph ethereum geth tensor-flow triton mlflow jira confluence bitbucket sharepoint ms-exchange catchpoint gatus blackbox synthetic apache caddy httpd lambda cloudfunction minecraft valheim paperless vikunja n8n nodered node-red mealie miniflux linkding searxng invidious gotify ntfy atuin temporal-server camunda segfault sigsegv panic odoo magento shopware gameserver agones postfix dovecot smtp mailcow rspamd logicmonitor dotctl superset metabase jupyter jupyterhub tika graphql open-faas',
    floor: null,
    nextStep:
      'Read the program’s log since the alert began and look for a release or restart just before it.',
    example: makeExample('GunicornWorkersBusy', 'All workers are busy'),
  },
  {
    name: 'dead-letters',
    category: 'queue',
    words: 'dead-letter dlq deadletter message-queue queue-depth consumer-lag unacked',
    floor: 'warning',
    nextStep: 'Read one of the dead messages and the consumer’s log at that time.',
    example: makeExample('OrderDeadLetters', 'Messages land in the dead-letter queue'),
  },
];

/** Rows that only know what the trouble looks like. */
export const SYMPTOM_ROWS: readonly RuleRow[] = [
  // Machines first, where the words are theirs alone
  {
    name: 'language-runtime',
    category: 'application',
    words:
      'jvm golang goroutine go-gc go-heap go-threads go-memstats python ruby dotnet nodejs event-loop garbage-collector garbage gc heap thread-pool threadpool metaspace',
    floor: null,
    nextStep:
      'Compare memory and garbage collection with the last release; take a heap or thread dump before restarting it.',
    example: makeExample('GoroutineLeak', 'Goroutines keep growing'),
  },
  {
    name: 'unnamed-database',
    category: 'database',
    title: 'database db sql slow-query replication-lag tablespace',
    floor: null,
    nextStep: 'Check that the database accepts connections and look at its slowest statements.',
    example: makeExample('DatabaseFailedConnections', 'Clients cannot connect'),
  },
  {
    name: 'node-condition',
    category: 'node',
    words: 'memory-pressure disk-pressure pid-pressure node-pressure node-not node-notready kernel-deadlock',
    title: 'node pressure host',
    not: 'network',
    floor: 'warning',
    nextStep: 'Look at the node’s conditions and events: kubectl describe node NODE.',
    example: makeExample('NodeNotReadyForLong', 'A node is not ready'),
  },
  {
    name: 'fleet-capacity',
    category: 'node',
    words:
      'karpenter cluster-autoscaler autoscaler-node node-pool nodepool node-group nodegroup machineset machine-deployment machinedeployment overcommit overcommitted system-upgrade talos kured tuppr upgrade os-upgrade',
    not: 'quota',
    floor: 'warning',
    nextStep:
      'Check whether new nodes can still be added and which pods wait for one: kubectl get pods -A --field-selector=status.phase=Pending.',
    example: makeExample('KarpenterNodepoolFull', 'The pool is at its limit'),
  },
  {
    name: 'kubelet',
    category: 'node',
    title: 'kubelet eviction pleg',
    not: 'volume persistentvolume',
    floor: 'warning',
    nextStep: 'Check the node and its kubelet: kubectl describe node NODE, then journalctl -u kubelet there.',
    example: makeExample('KubeletSlow', 'Pods start slowly on a node'),
  },
  {
    name: 'hypervisor',
    category: 'node',
    words:
      'proxmox pve vmware v-mware vsphere v-sphere esxi es-xi vcenter v-center hypervisor libvirt kvm qemu xen hyper-v hyperv nova placement compute openstack virtual-machine vm guest droplet ec2 virtualbox kubevirt lxc cloud-hypervisor ovirt nutanix',
    not: 'datastore storage disk snapshot virtual-memory packet bandwidth',
    floor: null,
    nextStep:
      'Check host and guest in the hypervisor’s own view: power state, memory and what else runs there.',
    example: makeExample('HypervisorHighCpu', 'A host is out of CPU'),
  },

  // Volumes and disks
  {
    name: 'persistent-volume-full',
    category: 'storage',
    words:
      'persistent-volume persistentvolume persistent-volumeclaim persistentvolumeclaim pvc pv volume kubelet-volume',
    and: 'full filling fill space low usage used critical nearly inode available',
    floor: 'warning',
    nextStep: 'See what fills the volume and grow it if needed: kubectl -n NAMESPACE describe pvc PVC.',
    example: makeExample('PersistentVolumeNearlyFull', 'The claim is 92% full'),
  },
  {
    name: 'persistent-volume',
    category: 'storage',
    words:
      'persistent-volume persistentvolume persistent-volumeclaim persistentvolumeclaim pvc pv volume kubelet-volume volumeattachment storageclass storage-class',
    floor: null,
    nextStep: 'Read the events of the claim and its volume: kubectl -n NAMESPACE describe pvc PVC.',
    example: makeExample('VolumeAttachStuck', 'A volume does not attach'),
  },
  {
    name: 'disk-space',
    category: 'storage',
    words: DISKS,
    and: 'full filling fill space low out usage used exhausted almost inode',
    not: 'pressure',
    floor: 'warning',
    nextStep:
      'Find what grew on NODE (df -h, then du -xh --max-depth=2) and free space before services stop writing.',
    example: makeExample('RootFilesystemAlmostFull', 'Less than 5% free'),
  },
  {
    name: 'disk',
    category: 'storage',
    words: `${DISKS} storage io-wait iops read-latency write-latency readonly-filesystem`,
    not: 'pressure remote-storage',
    floor: null,
    nextStep: 'Look at the disk’s load and errors on NODE (iostat -x 1, dmesg), then what writes to it.',
    example: makeExample('DiskIoSaturated', 'The disk is busy all the time'),
  },

  // Links
  {
    name: 'network-link',
    category: 'network',
    words:
      'network networking interface nic bond bonding conntrack packet bandwidth throughput tcp udp icmp ping link-down carrier arp ethernet mtu retransmit ip-address ip-pool nf-conntrack netstat octets latency-ping floating-ip subnet egress ingress-traffic external-ip public-ip lease connectivity',
    not: 'network-ups interface-slow cpu',
    floor: null,
    nextStep: 'Check errors and speed of the interface on NODE and the switch port behind it.',
    example: makeExample('NetworkInterfaceFlapping', 'An interface goes up and down'),
  },

  // Pods and what owns them
  {
    name: 'image-pull',
    category: 'workload',
    words:
      'image-pull imagepull image-pullbackoff err-image dockerhub docker-hub pull-rate registry-pull pulling',
    floor: null,
    nextStep:
      'Read the pull error: kubectl -n NAMESPACE describe pod POD; check the tag, the credentials and the registry’s limits.',
    example: makeExample('ImagePullFailing', 'The image cannot be pulled'),
  },
  {
    name: 'cron-job',
    category: 'workload',
    words: 'cron-job kube-job scheduled-job batch-job',
    floor: null,
    nextStep: 'Read the log of the failed run: kubectl -n NAMESPACE logs job/JOB.',
    example: makeExample('JanitorFailing', 'The janitor CronJob has failed'),
  },
  {
    name: 'batch-job',
    category: 'workload',
    title: 'job batch-failed',
    floor: null,
    nextStep: 'Read the log of the failed run: kubectl -n NAMESPACE logs job/JOB.',
    example: makeExample('NightlyJobFailed', 'The job did not complete'),
  },
  {
    name: 'control-plane-down',
    category: 'workload',
    words:
      'api-server apiserver kube-api kube-apiserver kube-scheduler kube-controller controller-manager scheduler aggregated-api',
    and: DOWN,
    not: 'instance aggregated-api',
    floor: 'critical',
    nextStep:
      'Check the control plane’s pods and their node: kubectl -n kube-system get pods -o wide, or crictl ps on the node.',
    example: makeExample('KubeSchedulerDown', 'No scheduler runs'),
  },
  {
    name: 'rollout',
    category: 'workload',
    words:
      'deployment statefulset stateful-set daemonset daemon-set replicaset replica-set rollout rolled-out replicas-mismatch replica-mismatch replicas generation-mismatch hpa horizontal-pod horizontalpodautoscaler vpa poddisruption pdb pod-disruption scaled-object',
    not: 'patroni redis',
    floor: null,
    nextStep:
      'Compare wanted and ready pods and read the newest events: kubectl -n NAMESPACE get deploy,sts,ds,pods.',
    example: makeExample('DeploymentReplicasMissing', 'Fewer replicas than wanted'),
  },
  {
    name: 'pod-or-container',
    category: 'workload',
    title:
      'pod container docker podman containerd crio nomad swarm compose portainer evicted unschedulable quota resourcequota namespace terminating',
    not: 'pod-capacity remote-write log-errors container-log',
    floor: null,
    nextStep: 'Look at state and events first: kubectl -n NAMESPACE describe pod POD.',
    example: makeExample('PodStuckPending', 'A pod cannot be scheduled'),
  },
  {
    name: 'kubernetes-node',
    category: 'node',
    title: 'kube-node kubernetes-node node-unreachable',
    not: 'eviction',
    floor: 'warning',
    nextStep: 'Look at the node’s conditions and what runs there: kubectl describe node NODE.',
    example: makeExample('KubeNodeTainted', 'A node does not answer'),
  },
  {
    name: 'kubernetes',
    category: 'workload',
    title: 'kube kubernetes k8s k3s openshift apiserver api scheduler controller admission',
    floor: null,
    nextStep:
      'Look at the newest warnings of the cluster: kubectl get events -A --field-selector=type=Warning.',
    example: makeExample('KubernetesApiErrors', 'The API answers with errors'),
  },
];

/** Rows with everyday words, asked when nothing better fits. */
export const FALLBACK_ROWS: readonly RuleRow[] = [
  {
    name: 'any-node',
    category: 'node',
    title: 'node',
    floor: null,
    nextStep: 'Look at the node’s conditions and what runs there: kubectl describe node NODE.',
    example: makeExample('WorkerNodeOdd', 'A node does not answer'),
  },
  {
    name: 'service-resources',
    category: 'application',
    title: 'service app application api',
    words: 'cpu memory ram',
    not: 'host node windows systemd',
    floor: null,
    nextStep:
      'Compare with the last release and the traffic; raise the limit only when the growth is explained.',
    example: makeExample('ServiceHighMemory', 'The service uses 90% of its memory'),
  },
  {
    name: 'pod-resources',
    category: 'workload',
    title: 'cpu memory ram',
    context: 'pod container',
    not: 'host node windows systemd',
    floor: null,
    nextStep: 'Find the greedy container: kubectl -n NAMESPACE top pod --containers.',
    example: makeExample('HighCpuUsage', 'Pod web uses 95% of its limit'),
  },
  {
    name: 'machine-load',
    category: 'node',
    words:
      'host server machine cpu memory load load-average ram swap swapping systemd systemd-unit kernel reboot rebooted context-switches context-switching process-exporter namedprocess processes zombie descriptors file-descriptor filefd windows node-exporter node-cpu node-memory node-load unattended apt entropy uptime',
    not: 'web-server application-server',
    floor: null,
    nextStep:
      'Look at what uses the machine right now (top, systemctl --failed on NODE) and what changed today.',
    example: makeExample('HostOutOfMemory', 'The host has no memory left'),
  },

  // The rest has weaker words
  {
    name: 'database-words',
    category: 'database',
    words: 'database db sql slow-queries slow-query deadlock replication-lag tablespace wal transactions',
    not: 'jvm',
    floor: null,
    nextStep: 'Check that the database accepts connections and look at its slowest statements.',
    example: makeExample('DeadlocksHigh', 'Many transactions wait'),
  },
  {
    name: 'queue-words',
    category: 'queue',
    words: 'queue consumer messages broker topic backlog enqueued',
    floor: null,
    nextStep: 'Check that consumers run and what the oldest waiting message is.',
    example: makeExample('WorkQueueGrowing', 'The backlog grows'),
  },
  {
    name: 'security-words',
    category: 'security',
    title: 'suspicious secret password credential token',
    floor: null,
    nextStep: 'Find who or what caused it before closing it; keep the logs.',
    example: makeExample('SuspiciousSecretRead', 'A secret was read from an unusual place'),
  },
  {
    name: 'telemetry-lost',
    category: 'meta',
    title: 'metrics logs spans traces telemetry samples',
    words: 'send sent enqueue export dropped ingested ingesting missing lost refused',
    floor: 'warning',
    nextStep:
      'Check where the signal stops: agent, collector or store; dashboards and alerts over it are blind meanwhile.',
    example: makeExample('TracesDropped', 'Spans are refused by the collector'),
  },
  {
    name: 'scrape-target-missing',
    category: 'meta',
    title: 'target rule scrape metrics notifications alerts',
    floor: null,
    nextStep:
      'Open the target in Prometheus and read its last scrape error; then check whether the service itself runs.',
    example: makeExample('NoNotificationsSent', 'No notification for an hour'),
  },
  {
    name: 'service-errors',
    category: 'application',
    words: `${HTTP_ERRORS} http service application app endpoint website site url api panic exception errors requests`,
    floor: null,
    nextStep: 'Read the service’s log since the alert began and check for a release just before it.',
    example: makeExample('HighErrorRate', 'More than 5% of the requests fail'),
  },
];

function makeExample(alertname: string, summary: string): RuleInput {
  return { labels: { alertname }, annotations: { summary } };
}
