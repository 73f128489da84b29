//! Patterns: `declare pattern`, and the calls that stand for one of its queries.
//!
//! Source: the page "pattern statement".
use super::Bind;
use super::binder::Binder;
use super::expressions::Value;
use super::relation::Row;
use super::scope::{Binding, Closure, ScopeId};
use crate::kql::ast::{self, Argument, Call, Expression, ExpressionKind, Literal, Path, PathStepKind, StringLiteral};
use std::rc::Rc;

impl Binder<'_> {
    /// `pattern("a").path`, where the base of a path is a pattern's call.
    pub fn pattern_path(&mut self, path: &Path) -> Option<Bind<Value>> {
        let ExpressionKind::Call(call) = &path.base.kind else { return None };
        let Some(Binding::Pattern(pattern, scope)) = self.scopes.find(self.scope, &call.name.text).cloned() else {
            return None;
        };
        let [step] = path.steps.as_slice() else {
            return Some(Err(self.error("KS108", "A pattern has one path.", call.span)));
        };
        let step = match &step.kind {
            PathStepKind::Index(index) => index.clone(),
            PathStepKind::Member(name) => {
                let text = StringLiteral { text: name.text.clone(), hidden: false };
                Expression { kind: ExpressionKind::Literal(Literal::String(text)), span: name.span }
            }
            PathStepKind::Call(_) | PathStepKind::Wildcard(_) => {
                return Some(Err(self.error("KS108", "Scalar value expected.", step.span)));
            }
        };
        Some(self.pattern_call(&pattern, scope, call, Some(step)))
    }

    /// The query of the first case whose constants are those of the call.
    pub fn pattern_call(
        &mut self,
        pattern: &ast::Pattern,
        scope: ScopeId,
        call: &Call,
        path: Option<Expression>,
    ) -> Bind<Value> {
        let path = path.map(|value| Argument { name: None, span: value.span, value });
        let arguments: Vec<Argument> = call.arguments.iter().cloned().chain(path).collect();
        let given: Bind<Vec<String>> = arguments.iter().map(|a| Ok(self.constant_of(&a.value)?.to_text())).collect();
        let given = given?;
        for case in &pattern.cases {
            let wanted: Bind<Vec<String>> = case.values.iter().map(|v| Ok(self.constant_of(v)?.to_text())).collect();
            if wanted? != given {
                continue;
            }
            let function = ast::Function {
                view: false,
                parameters: pattern.parameters.clone(),
                body: case.body.clone(),
                body_span: case.body_span,
                span: case.body_span,
            };
            let closure = Rc::new(Closure { function, scope, saved: None });
            return self.call_closure(&closure, &pattern.name.text, &arguments, None, &Row::default(), call.name.span);
        }
        let message = format!("The pattern '{}' has no case for ({}).", pattern.name.text, given.join(", "));
        Err(self.error("HP127", message, call.name.span))
    }
}
