-- What retention looks for by age, found without reading what stays.
create index notices_received on notices (received_at);
create index incidents_closed on incidents (closed_at) where closed_at is not null;
create index batches_incident on batches (incident);
