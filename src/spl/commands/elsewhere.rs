//! Commands that need what only a running Splunk or an add-on of it has: each says what that is.

crate::command! {
    /// Applies a model that was trained in Splunk. It cannot run here: it needs the trained model and the Machine
    /// Learning Toolkit.
    ///
    /// Source: apply (Machine Learning Toolkit).
    "apply": "apply <model>" = Elsewhere("a trained model and the Machine Learning Toolkit");

    /// Trains a model. It cannot run here: it needs the Machine Learning Toolkit.
    ///
    /// Source: fit (Machine Learning Toolkit).
    "fit": "fit <algorithm> <fields>" = Elsewhere("the Machine Learning Toolkit");

    /// Shows a trained model. It cannot run here: it needs the Machine Learning Toolkit.
    ///
    /// Source: summary (Machine Learning Toolkit).
    "summary" as ["listmodels", "deletemodel", "score", "sample"]: "summary <model>" =
        Elsewhere("the Machine Learning Toolkit");

    /// Recodes fields with a recipe. It cannot run here: it needs the add-on CyberChef for Splunk.
    ///
    /// Source: cyberchef (CyberChef for Splunk).
    "cyberchef": "cyberchef infield=<field> outfield=<field> operation=<name>" = Elsewhere("the add-on CyberChef for Splunk");

    /// Asks Splunk's own interface. It cannot run here: it needs a running Splunk.
    ///
    /// Source: rest.
    "rest": "rest <endpoint>" = Elsewhere("the interface of a running Splunk");

    /// Asks a database. It cannot run here: it needs the app DB Connect and its connection.
    ///
    /// Source: dbxquery (DB Connect).
    "dbxquery" as ["dbxlookup", "dbxoutput"]: "dbxquery connection=<name> query=<query>" =
        Elsewhere("the app DB Connect and a connection of it");

    /// Writes results into an index. It cannot run here: it needs an index.
    ///
    /// Source: collect.
    "collect" as ["mcollect", "meventcollect", "sistats", "sitop", "sirare", "sichart", "sitimechart", "tscollect"]:
        "collect index=<index>" = Elsewhere("an index of Splunk to write into");

    /// Runs an alert's action. It cannot run here: it needs the app that has the action.
    ///
    /// Source: sendalert.
    "sendalert" as ["sendemail"]: "sendalert <action>" = Elsewhere("an alert action of a running Splunk");

    /// Runs a saved search. It cannot run here: it needs the saved searches of Splunk.
    ///
    /// Source: savedsearch.
    "savedsearch" as ["loadjob"]: "savedsearch <name>" =
        Elsewhere("Splunk's saved searches: load savedsearches.conf as rules, or put the search itself here");

    /// Forecasts, groups or compares values with Splunk's own statistical models. It cannot run here: it needs these.
    ///
    /// Source: predict, kmeans, cluster, correlate, anomalousvalue and others.
    "predict" as ["x11", "kmeans", "cluster", "correlate", "associate", "arules", "anomalies", "anomalousvalue",
        "analyzefields", "findtypes", "findkeywords", "typelearner", "cofilter"]:
        "predict <field>" = Elsewhere("Splunk's own statistical models: write the comparison with eventstats or streamstats");

    /// Learns a regular expression from examples. It cannot run here: it needs Splunk's learner.
    ///
    /// Source: erex.
    "erex": "erex <field> examples=<texts>" = Elsewhere("Splunk's learner of expressions: write the expression with rex");

    /// Searches transactions by types that an app defines. It cannot run here: it needs these types.
    ///
    /// Source: searchtxn.
    "searchtxn": "searchtxn <transaction>" =
        Elsewhere("the transaction types of an app: write their options in transaction");

    /// Makes reports of data models. It cannot run here: it needs their stored definitions.
    ///
    /// Source: pivot.
    "pivot": "pivot <model> <dataset> <elements>" =
        Elsewhere("the data model's stored definition: write tstats ... from datamodel=<model>.<dataset>");

    /// Compares or sorts the texts of events for a reader. It cannot run here: it needs Splunk's own rules for these.
    ///
    /// Source: diff, folderize, bucketdir, relevancy, localize, scrub.
    "diff" as ["folderize", "bucketdir", "relevancy", "localize", "scrub", "overlap", "kvform", "metasearch",
        "datamodelsimple", "makejson", "surrounding"]:
        "diff" = Elsewhere("Splunk's own rules for it: compare, cut or group fields with eval, rex and stats");

    /// Puts places on a map. It cannot run here: it needs Splunk's maps.
    ///
    /// Source: geostats, geom.
    "geostats" as ["geom", "geomfilter"]: "geostats <aggregate>" = Elsewhere("Splunk's maps of places");

    /// Reads or writes files of Splunk's server. It cannot run here: it needs that server.
    ///
    /// Source: inputcsv, outputcsv.
    "inputcsv" as ["outputcsv", "outputtext", "dump", "input", "crawl"]: "inputcsv <file>" =
        Elsewhere("the files of Splunk's server: use inputlookup and outputlookup");

    /// Runs a script of an app. It cannot run here: it needs the app.
    ///
    /// Source: script.
    "script" as ["run", "runshellscript"]: "script <name>" = Elsewhere("the script and the app that holds it");

    /// Deletes events. It cannot run here: it needs an index.
    ///
    /// Source: delete.
    "delete": "delete" = Elsewhere("an index of Splunk: events are only read here");

    /// Reads what Enterprise Security keeps. It cannot run here: it needs Enterprise Security.
    ///
    /// Source: inputintelligence, entitymerge.
    "inputintelligence" as ["entitymerge"]: "inputintelligence <source>" =
        Elsewhere("Enterprise Security: give its lists as lookups, and read them with inputlookup");

    /// Tells of indexes, sources and buckets. It cannot run here: it needs the indexes of Splunk.
    ///
    /// Source: metadata.
    "metadata" as ["dbinspect", "eventcount", "typeahead", "audit", "history", "walklex", "mcatalog", "mpreview", "msearch", "copyresults", "prjob"]:
        "metadata type=<hosts|sources|sourcetypes>" = Elsewhere("the indexes of Splunk");
}
