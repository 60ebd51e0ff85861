GRANT SELECT, INSERT ON accounts TO crdb_faults_reader;
GRANT USAGE ON SCHEMA public TO crdb_faults_reader;
GRANT SELECT ON TABLE events TO crdb_faults_reader;
REVOKE INSERT ON accounts FROM crdb_faults_reader;
-- @UNDO
REVOKE SELECT ON events FROM crdb_faults_reader;
REVOKE USAGE ON SCHEMA public FROM crdb_faults_reader;
REVOKE ALL ON accounts FROM crdb_faults_reader;
