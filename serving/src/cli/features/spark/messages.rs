//! The few messages of Spark Connect that a session of SQL needs, by their numbers in
//! `spark/connect/base.proto`, `commands.proto` and `relations.proto` of Spark 4.0. What is not
//! declared is not sent, and passed over where it comes.

use prost::Message;

/// Runs a plan; streams what becomes of it.
pub(super) const EXECUTE: &str = "/spark.connect.SparkConnectService/ExecutePlan";
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

#[cfg(test)]
mod tests {
    use super::{ExecutePlanRequest, UserContext, statement};
    use prost::Message;

    /// As PySpark 4.0 writes the same request.
    #[test]
    fn a_request_has_the_bytes_of_the_reference_client() {
        let request = ExecutePlanRequest {
            session_id: "00112233-4455-6677-8899-aabbccddeeff".to_owned(),
            user_context: Some(UserContext {
                user_id: "ada".to_owned(),
            }),
            plan: Some(statement("SELECT 1")),
            client_type: "lagom".to_owned(),
        };
        let bytes = request.encode_to_vec();
        let hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex.concat(), REFERENCE);
    }

    const REFERENCE: &str = "0a2430303131323233332d343435352d363637372d383839392d6161626263636464656566661205\
        0a036164611a1212102a0e320c520a0a0853454c454354203122056c61676f6d";
}
