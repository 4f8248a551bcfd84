//! One version on all machines: the same function must give the same bits wherever a row lands.
//!
//! Executors and clients say who and what they are in the user agent of their calls; the scheduler turns others away.

use std::sync::Arc;

use ballista_core::extension::EndpointOverrideFn;
use tonic::{Request, Status};

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
const ADVICE: &str = "start the same version of esccsql on all machines";

/// Signs the calls of `who`.
pub fn endpoint(who: &str, version: &str) -> EndpointOverrideFn {
    let agent = format!("esccsql/{version} ({who})");
    Arc::new(move |endpoint| Ok(endpoint.user_agent(agent.clone())?))
}

/// Lets a call of this version pass.
pub fn admit(request: Request<()>) -> Result<Request<()>, Status> {
    let agent = request.metadata().get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    match judge(agent) {
        Ok(()) => Ok(request),
        Err(refusal) => Err(Status::failed_precondition(refusal)),
    }
}

fn judge(agent: &str) -> Result<(), String> {
    let Some((version, rest)) = agent.strip_prefix("esccsql/").and_then(|agent| agent.split_once(' ')) else {
        return Err(format!("a caller ({agent}) is not esccsql, this scheduler is esccsql {VERSION}; {ADVICE}"));
    };
    if version == VERSION {
        return Ok(());
    }
    let who = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or("a caller", |(who, _)| who);
    Err(format!("{who} is esccsql {version}, this scheduler is esccsql {VERSION}; {ADVICE}"))
}

/// The refusal within an error's text.
pub fn refusal(text: &str) -> Option<&str> {
    let end = text.find(ADVICE)? + ADVICE.len();
    let start = text[..end].rfind(['"', ':']).map_or(0, |at| at + 1);
    // `host:port` has a colon too: the name begins before it.
    let start = text[..start].rfind(['"', '(']).map_or(start, |at| at + 1);
    Some(text[start..end].trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_refused_by_name() {
        assert_eq!(judge(&format!("esccsql/{VERSION} (client) tonic/0.14.2")), Ok(()));
        let refused = judge("esccsql/0.0.1 (executor node7:50051) tonic/0.14.2").unwrap_err();
        assert_eq!(refused, format!("executor node7:50051 is esccsql 0.0.1, this scheduler is esccsql {VERSION}; {ADVICE}"));
        assert!(judge("tonic/0.14.2").unwrap_err().contains("is not esccsql"));
        let wrapped = format!("Execution(\"Status {{ code: FailedPrecondition, message: \\\"{refused}\\\" }}\")");
        assert_eq!(refusal(&wrapped), Some(refused.as_str()));
    }
}
