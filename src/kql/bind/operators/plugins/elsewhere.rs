//! Plugins that run on a service of Microsoft's, or call one: their use is an error that names what they need.
use super::Evaluation;
use crate::kql::bind::Bind;
use crate::kql::bind::binder::Binder;
use crate::kql::bind::relation::Relation;

impl Binder<'_> {
    fn needs(&mut self, evaluation: &Evaluation, what: &str) -> Bind<Relation> {
        let name = &evaluation.call.name;
        Err(self.error("HP120", format!("the plugin '{}' needs {what}: queries here never do", name.text), name.span))
    }
}

super::items! {
    /// Runs a Python script over the rows. It needs the sandbox of a cluster, and is an error here.
    ///
    /// Source: python-plugin.
    fn python(
        output_schema: Schema,
        script: Constant,
        script_parameters[optional]: Constant,
        external_artifacts[optional]: Constant,
        spill_to_disk[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to run a Python script");

    /// Runs an R script over the rows. It needs the sandbox of a cluster, and is an error here.
    ///
    /// Source: r-plugin.
    fn r(
        output_schema: Schema,
        script: Constant,
        script_parameters[optional]: Constant,
        external_artifacts[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to run an R script");

    /// Asks a SQL Server. It needs the network, and is an error here.
    ///
    /// Source: sql-request-plugin.
    fn sql_request(
        ConnectionString: Constant,
        SqlQuery: Constant,
        SqlParameters[optional]: Constant,
        Options[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to ask a SQL Server");

    /// Asks a MySQL server. It needs the network, and is an error here.
    ///
    /// Source: mysql-request-plugin.
    fn mysql_request(ConnectionString: Constant, SqlQuery: Constant, SqlParameters[optional]: Constant) =
        |binder, evaluation| binder.needs(evaluation, "to ask a MySQL server");

    /// Asks a PostgreSQL server. It needs the network, and is an error here.
    ///
    /// Source: postgresql-request-plugin.
    fn postgresql_request(ConnectionString: Constant, SqlQuery: Constant, SqlParameters[optional]: Constant) =
        |binder, evaluation| binder.needs(evaluation, "to ask a PostgreSQL server");

    /// Asks a Cosmos DB. It needs the network, and is an error here.
    ///
    /// Source: cosmosdb-plugin.
    fn cosmosdb_sql_request(
        ConnectionString: Constant,
        SqlQuery: Constant,
        SqlParameters[optional]: Constant,
        Options[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to ask a Cosmos DB");

    /// Asks Azure Digital Twins. It needs the network, and is an error here.
    ///
    /// Source: azure-digital-twins-query-request-plugin.
    fn azure_digital_twins_query_request(AdtInstanceEndpoint: Constant, AdtQuery: Constant) =
        |binder, evaluation| binder.needs(evaluation, "to ask Azure Digital Twins");

    /// Gets a page of the web. It needs the network, and is an error here.
    ///
    /// Source: http-request-plugin.
    fn http_request(Uri: Constant, RequestHeaders[optional]: Constant, Options[optional]: Constant) =
        |binder, evaluation| binder.needs(evaluation, "to send an HTTP request");

    /// Posts to a page of the web. It needs the network, and is an error here.
    ///
    /// Source: http-request-post-plugin.
    fn http_request_post(
        Uri: Constant,
        RequestHeaders[optional]: Constant,
        Options[optional]: Constant,
        Content[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to send an HTTP request");

    /// Continues a chat with a language model. It needs the network, and is an error here.
    ///
    /// Source: ai-chat-completion-plugin.
    fn ai_chat_completion(
        Chat: Expression,
        ConnectionString: Constant,
        Options[optional]: Constant,
        IncludeErrorMessages[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to ask a language model");

    /// Asks a language model. It needs the network, and is an error here.
    ///
    /// Source: ai-chat-completion-prompt-plugin.
    fn ai_chat_completion_prompt(
        Prompt: Expression,
        ConnectionString: Constant,
        Options[optional]: Constant,
        IncludeErrorMessages[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to ask a language model");

    /// Embeds texts by a language model. It needs the network, and is an error here.
    ///
    /// Source: ai-embeddings-plugin.
    fn ai_embeddings(
        Text: Expression,
        ConnectionString: Constant,
        Options[optional]: Constant,
        IncludeErrorMessages[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to ask a language model");

    /// The older name of `ai_embeddings`. It needs the network, and is an error here.
    ///
    /// Source: ai-embeddings-plugin.
    fn ai_embed_text(
        Text: Expression,
        ConnectionString: Constant,
        Options[optional]: Constant,
        IncludeErrorMessages[optional]: Constant,
    ) = |binder, evaluation| binder.needs(evaluation, "to ask a language model");

    /// The columns of stored files with suggestions of better kinds. It needs the values of a storage's files, and is
    /// an error here; `infer_storage_schema` gives the columns.
    ///
    /// Source: infer-storage-schema-with-suggestions-plugin.
    fn infer_storage_schema_with_suggestions(Options: Constant) =
        |binder, evaluation| binder.needs(evaluation, "to search the values of a storage");
}
