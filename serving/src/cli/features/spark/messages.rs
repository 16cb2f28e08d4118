//! The few messages of Spark Connect that a session of SQL needs, by their numbers in
//! `spark/connect/base.proto`, `commands.proto` and `relations.proto` of Spark 4.0. What is not
//! declared is not sent, and passed over where it comes.

use prost::Message;

/// Runs a plan; streams what becomes of it.
pub(super) const EXECUTE: &str = "/spark.connect.SparkConnectService/ExecutePlan";
/// Sets what a session goes by; servers that refuse `SET` as a statement take it too.
pub(super) const CONFIG: &str = "/spark.connect.SparkConnectService/Config";
/// Ends a session and what runs in it.
pub(super) const RELEASE: &str = "/spark.connect.SparkConnectService/ReleaseSession";

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutePlanRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(super) plan: Option<Plan>,
    #[prost(string, tag = "4")]
    pub(super) client_type: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct UserContext {
    #[prost(string, tag = "1")]
    pub(super) user_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Plan {
    #[prost(message, optional, tag = "2")]
    pub(super) command: Option<Command>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Command {
    #[prost(message, optional, tag = "5")]
    pub(super) sql_command: Option<SqlCommand>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SqlCommand {
    #[prost(message, optional, tag = "6")]
    pub(super) input: Option<Relation>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Relation {
    #[prost(message, optional, tag = "10")]
    pub(super) sql: Option<Sql>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Sql {
    #[prost(string, tag = "1")]
    pub(super) query: String,
}

/// Nothing of an answer is looked at but that it ends well.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExecutePlanResponse {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub(super) operation: Option<ConfigOperation>,
    #[prost(string, tag = "4")]
    pub(super) client_type: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigOperation {
    #[prost(message, optional, tag = "1")]
    pub(super) set: Option<ConfigSet>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigSet {
    #[prost(message, repeated, tag = "1")]
    pub(super) pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// Nothing of it is looked at.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ConfigResponse {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseSessionRequest {
    #[prost(string, tag = "1")]
    pub(super) session_id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) user_context: Option<UserContext>,
    #[prost(string, tag = "3")]
    pub(super) client_type: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ReleaseSessionResponse {}

/// A statement as a plan.
pub(super) fn statement(sql: &str) -> Plan {
    let sql = Sql {
        query: sql.to_owned(),
    };
    let input = Relation { sql: Some(sql) };
    let command = SqlCommand { input: Some(input) };
    Plan {
        command: Some(Command {
            sql_command: Some(command),
        }),
    }
}

/// Settings by name, to be set.
pub(super) fn set(settings: &[(&str, &str)]) -> ConfigOperation {
    let pair = |(key, value): &(&str, &str)| KeyValue {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    let pairs = settings.iter().map(pair).collect();
    ConfigOperation {
        set: Some(ConfigSet { pairs }),
    }
}

#[cfg(test)]
mod tests {
    use super::{ConfigRequest, ExecutePlanRequest, UserContext, set, statement};
    use prost::Message;

    const SESSION: &str = "00112233-4455-6677-8899-aabbccddeeff";

    fn ada() -> UserContext {
        UserContext {
            user_id: "ada".to_owned(),
        }
    }

    fn hex(message: &impl Message) -> String {
        let bytes = message.encode_to_vec();
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        hex.concat()
    }

    /// As PySpark 4.0 writes the same requests.
    #[test]
    fn requests_have_the_bytes_of_the_reference_client() {
        let execute = ExecutePlanRequest {
            session_id: SESSION.to_owned(),
            user_context: Some(ada()),
            plan: Some(statement("SELECT 1")),
            client_type: "lagom".to_owned(),
        };
        assert_eq!(hex(&execute), EXECUTED);
        let config = ConfigRequest {
            session_id: SESSION.to_owned(),
            user_context: Some(ada()),
            operation: Some(set(&[("spark.sql.ansi.enabled", "true")])),
            client_type: "lagom".to_owned(),
        };
        assert_eq!(hex(&config), CONFIGURED);
    }

    const CONFIGURED: &str = "0a2430303131323233332d343435352d363637372d383839392d616162626363646465656666120\
        50a036164611a220a200a1e0a16737061726b2e73716c2e616e73692e656e61626c656412047472756522056c61676f6d";
    const EXECUTED: &str = "0a2430303131323233332d343435352d363637372d383839392d6161626263636464656566661205\
        0a036164611a1212102a0e320c520a0a0853454c454354203122056c61676f6d";
}
