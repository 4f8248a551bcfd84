# What R says of the example tables: writes tests/slt/r_values.slt.
#
#   COPY patients TO 'patients.csv' (HEADER);   -- tests/functions/tables.sql
#   Rscript tests/golden/r_values.R patients.csv > tests/slt/r_values.slt
library(survival)
d <- read.csv(commandArgs(TRUE)[1])
d$died <- d$died %in% c("true", "TRUE", TRUE)
d$cause <- ifelse(!d$died, 0, ifelse(d$marker > 0, 2, 1))
S <- Surv(d$months, d$died)
strict <- coxph.control(eps = 1e-12, toler.chol = 1e-13, iter.max = 100)

cat("# What R", paste(R.version$major, R.version$minor, sep = "."), "and its survival", as.character(packageVersion("survival")),
    "say of the same rows. Written by tests/golden/r_values.R.\n")

# One comparison: a query for a list of numbers, R's numbers, and how far they may differ (relative to 1 or the number).
same <- function(title, sql, values, tolerance = 1e-8) {
  stopifnot(is.numeric(values), !anyNA(values))
  cat("\n# ", title, "\n\nquery BB\n",
      "SELECT len(found) = len(r), list_reduce(list_transform(list_zip(found, r), lambda z: abs(z[1] - z[2]) / greatest(1, abs(z[2]))), lambda a, b: greatest(a, b)) < ",
      format(tolerance), "\nFROM (SELECT [", paste(sprintf("%.15e", values), collapse = ", "), "] AS r),\n     (", sql, ")\n----\ntrue true\n", sep = "")
}

coef_of <- "list_transform(cox_summary(model), lambda s: s.coef) || list_transform(cox_summary(model), lambda s: s.se)"
cox <- function(title, fit, options, x = "{'age': age, 'stage': stage}", robust = FALSE) {
  se <- sqrt(diag(fit$var))
  same(title, paste0("SELECT ", coef_of, " || [cox_tests(model).loglik, cox_tests(model).loglik_null] AS found FROM (SELECT cox_fit(months, died, ", x,
                     options, ") AS model FROM patients)"), c(unname(coef(fit)), unname(se), fit$loglik[2], fit$loglik[1]))
}
cox("Exact partial likelihood of tied times.", coxph(S ~ age + stage, d, ties = "exact", control = strict), ", {'ties': 'exact'}")
cox("An offset.", coxph(S ~ age + stage + offset(0.02 * volume), d, control = strict), ", {'offset': 0.02 * volume}")
cox("Robust variance.", coxph(S ~ age + stage, d, robust = TRUE, control = strict), ", {'robust': true}")
cox("Weights, clusters and Breslow's ties.",
    coxph(S ~ age + marker, d, weights = stage, cluster = site, ties = "breslow", control = strict),
    ", {'weight': stage, 'cluster': site, 'ties': 'breslow'}", "{'age': age, 'marker': marker}")
cox("Strata.", coxph(S ~ age + marker + strata(stage), d, control = strict), ", {'strata': stage}", "{'age': age, 'marker': marker}")

fit <- coxph(S ~ age + stage, d, control = strict)
curve <- summary(survfit(fit, data.frame(age = 60, stage = 2)), times = c(6, 12, 24, 36))
same("Predicted survival and its interval.",
     "SELECT list_transform(ci, lambda s: s.survival) || list_transform(ci, lambda s: s.lower) || list_transform(ci, lambda s: s.upper) AS found
      FROM (SELECT cox_survival_ci(cox_fit(months, died, {'age': age, 'stage': stage}), {'age': 60, 'stage': 2}, [6, 12, 24, 36]) AS ci FROM patients)",
     c(curve$surv, curve$lower, curve$upper))
fit_strata <- coxph(S ~ age + strata(sex), d, control = strict)
curve <- summary(survfit(fit_strata, data.frame(age = 60, sex = "male")), times = c(6, 12, 24, 36))
same("Predicted survival in a stratum.",
     "SELECT list_transform(ci, lambda s: s.survival) || list_transform(ci, lambda s: s.lower) || list_transform(ci, lambda s: s.upper) AS found
      FROM (SELECT cox_survival_ci(cox_fit(months, died, {'age': age}, {'strata': sex}), {'age': 60}, [6, 12, 24, 36], {'strata': 'male'}) AS ci FROM patients)",
     c(curve$surv, curve$lower, curve$upper))

by_row <- function(name) paste0("SELECT list(r.", name, " ORDER BY r.id) AS found FROM (SELECT unnest(cox_residuals(months, died, {'age': age, 'stage': stage}, patient_id)) AS r FROM patients)")
by_id <- order(d$patient_id)
same("Martingale residuals.", by_row("martingale"), unname(residuals(fit, "martingale"))[by_id])
same("Deviance residuals.", by_row("deviance"), unname(residuals(fit, "deviance"))[by_id])
same("Score residuals.", by_row("score['age']"), unname(residuals(fit, "score")[, 1])[by_id])
same("Dfbeta.", by_row("dfbeta['stage']"), unname(residuals(fit, "dfbeta")[, 2])[by_id])
# R gives them by time; rows with an event at the same time in the order of the data.
dead <- order(d$months)[d$died[order(d$months)]]
schoenfeld <- function(type) {
  r <- residuals(fit, type)
  values <- if (is.matrix(r)) unname(r[, 1]) else r
  values[order(d$patient_id[dead])]
}
of_dead <- function(name) paste0("SELECT list(r.", name, " ORDER BY r.id) FILTER (WHERE r.event) AS found FROM (SELECT unnest(cox_residuals(months, died, {'age': age, 'stage': stage}, patient_id)) AS r FROM patients)")
same("Schoenfeld residuals.", of_dead("schoenfeld['age']"), schoenfeld("schoenfeld"))
same("Scaled Schoenfeld residuals.", of_dead("scaled_schoenfeld['age']"), schoenfeld("scaledsch"))

at <- "[6, 12, 24, 36]"
km <- summary(survfit(S ~ 1, d, weights = stage, robust = FALSE), times = c(6, 12, 24, 36))
same("Weighted Kaplan-Meier.", paste0("SELECT km_survival(months, died, ", at, ", {'weight': stage}) AS found FROM patients"), km$surv)
same("Its limits, of weights that are numbers of rows.",
     "SELECT list(s.lower ORDER BY s.time) FILTER (WHERE s.time IN (6, 12, 24, 36)) || list(s.upper ORDER BY s.time) FILTER (WHERE s.time IN (6, 12, 24, 36)) AS found
      FROM (SELECT unnest(km_fit(months, died, {'weight': stage})) AS s FROM patients)", {
       full <- survfit(S ~ 1, d, weights = stage, robust = FALSE)
       keep <- match(intersect(c(6, 12, 24, 36), full$time), full$time)
       c(full$lower[keep], full$upper[keep])
     })
restricted <- summary(survfit(S ~ 1, d), rmean = 36)$table
same("Restricted mean.", "SELECT [a.rmst, a.std_err] AS found FROM (SELECT rmst(months, died, 36) AS a FROM patients)",
     unname(restricted[c("rmean", "se(rmean)")]))
states <- summary(survfit(Surv(d$months, factor(d$cause)) ~ 1), times = c(6, 12, 24, 36))
same("Aalen-Johansen.",
     "SELECT list(f ORDER BY cause, t) AS found FROM (
        SELECT s.cause, t, max(s.incidence) AS f
        FROM (SELECT unnest(aalen_johansen(months, CASE WHEN NOT died THEN 0 WHEN marker > 0 THEN 2 ELSE 1 END)) AS s FROM patients), unnest([6, 12, 24, 36]) AS u(t)
        WHERE s.time <= t GROUP BY ALL)", c(states$pstate[, 2], states$pstate[, 3]))

# The sums of a log-rank test by hand: U, V of two groups with a weight of each event time.
weighted <- function(weight) {
  u <- 0; v <- 0; left <- 1
  for (t in sort(unique(d$months[d$died]))) {
    risk <- d$months >= t; dead <- d$months == t & d$died; one <- d$sex == "female"
    n <- sum(risk); n1 <- sum(risk & one); e <- sum(dead); w <- weight(n, left)
    u <- u + w * (sum(dead & one) - e * n1 / n)
    if (n > 1) v <- v + w^2 * e * (n1 / n) * (1 - n1 / n) * (n - e) / (n - 1)
    left <- left * (1 - e / n)
  }
  u^2 / v
}
for (test in list(list("gehan", "'gehan'", function(n, s) n), list("Tarone-Ware", "'tarone_ware'", function(n, s) sqrt(n)),
                  list("Fleming-Harrington (1, 1)", "'fleming_harrington', 'rho': 1, 'gamma': 1", function(n, s) s * (1 - s)),
                  list("Fleming-Harrington (0, 1)", "'fleming_harrington', 'gamma': 1", function(n, s) 1 - s)))
  same(paste0("Log-rank with the weights of ", test[[1]], "."),
       paste0("SELECT [logrank(months, died, sex, {'weight': ", test[[2]], "}).statistic] AS found FROM patients"), weighted(test[[3]]))
plain <- survdiff(S ~ stage, d)
trend <- sum((1:4) * (plain$obs - plain$exp))^2 / drop(t(1:4) %*% plain$var %*% (1:4))
same("Log-rank test for trend.", "SELECT [logrank_trend(months, died, stage).statistic] AS found FROM patients", trend)
strata <- survdiff(S ~ sex + strata(stage), d)
same("Stratified log-rank.", "SELECT [logrank(months, died, sex, {'strata': stage}).statistic] AS found FROM patients", strata$chisq)

# Calibration and decisions from their definitions.
predicted <- exp(-exp(d$risk) / 3)
slope <- coxph(S ~ log(-log(predicted)), control = strict)
same("Calibration: slope of log(-log(S)), observed (Kaplan-Meier) over expected risk.",
     "SELECT [c.slope, c.slope_lower, c.slope_upper, c.observed, c.expected, c.ratio] AS found FROM (SELECT calibration(months, died, exp(-exp(risk) / 3), 24) AS c FROM patients)", {
       observed <- 1 - summary(survfit(S ~ 1), times = 24)$surv
       c(unname(coef(slope)), unname(confint(slope)), observed, mean(1 - predicted), observed / mean(1 - predicted))
     })
benefit <- function(p) {
  treat <- 1 - predicted >= p
  risk <- 1 - summary(survfit(Surv(months, died) ~ 1, d[treat, ]), times = 24)$surv
  mean(treat) * risk - mean(treat) * (1 - risk) * p / (1 - p)
}
same("Net benefit.", "SELECT list_transform(decision_curve(months, died, exp(-exp(risk) / 3), 24, {'thresholds': [0.2, 0.3, 0.5]}), lambda s: s.net_benefit) AS found FROM patients",
     sapply(c(0.2, 0.3, 0.5), benefit))

# Tests.
f <- summary(aov(volume ~ factor(stage), d))[[1]]
same("Analysis of variance.", "SELECT [a.statistic, a.df1, a.df2, a.p] AS found FROM (SELECT anova(volume, stage) AS a FROM patients)",
     c(f$`F value`[1], f$Df, f$`Pr(>F)`[1]))
k <- kruskal.test(volume ~ stage, d)
same("Kruskal-Wallis.", "SELECT [a.statistic, a.p] AS found FROM (SELECT kruskal_wallis(volume, stage) AS a FROM patients)", unname(c(k$statistic, k$p.value)))
m <- mcnemar.test(table(d$age > 60, d$volume > 30))
same("McNemar.", "SELECT [a.statistic, a.p] AS found FROM (SELECT mcnemar(age > 60, volume > 30) AS a FROM patients)", unname(c(m$statistic, m$p.value)))
w <- shapiro.test(d$volume)
same("Shapiro-Wilk.", "SELECT [a.statistic, a.p] AS found FROM (SELECT shapiro_wilk(volume) AS a FROM patients)", unname(c(w$statistic, w$p.value)))
t <- t.test(d$volume, 0.9 * d$volume + d$marker, paired = TRUE)
same("Paired t.", "SELECT [a.statistic, a.df, a.p, a.lower, a.upper] AS found FROM (SELECT t_test_paired(volume, 0.9 * volume + marker) AS a FROM patients)",
     unname(c(t$statistic, t$parameter, t$p.value, t$conf.int)))
w <- wilcox.test(d$volume, 0.8 * d$volume + d$marker + 4, paired = TRUE, exact = FALSE)
same("Wilcoxon's signed ranks.", "SELECT [a.statistic, a.p] AS found FROM (SELECT wilcoxon_signed_rank(volume, 0.8 * volume + marker + 4, {'exact': false}) AS a FROM patients)",
     unname(c(w$statistic, w$p.value)))
u <- d[1:40, ]
w <- wilcox.test(u$volume, 0.8 * u$volume + u$marker + 4, paired = TRUE, exact = TRUE)
same("The same, exact.", "SELECT [a.statistic, a.p] AS found FROM (SELECT wilcoxon_signed_rank(volume, 0.8 * volume + marker + 4, {'exact': true}) AS a FROM patients WHERE patient_id <= 'P040')",
     unname(c(w$statistic, w$p.value)))
k <- cor.test(d$volume, d$marker, method = "kendall", exact = FALSE)
same("Kendall, without ties.", "SELECT [a.estimate, a.p] AS found FROM (SELECT kendall(volume, marker) AS a FROM patients)", unname(c(k$estimate, k$p.value)))
k <- cor.test(u$volume, u$marker, method = "kendall", exact = TRUE)
same("Kendall, exact.", "SELECT [a.p] AS found FROM (SELECT kendall(volume, marker, {'exact': true}) AS a FROM patients WHERE patient_id <= 'P040')", k$p.value)
p <- c(0.01, 0.04, 0.03, 0.5, 0.002)
for (method in c("BH", "holm", "bonferroni"))
  same(paste("Adjusted P values:", method), paste0("SELECT p_adjust([0.01, 0.04, 0.03, 0.5, 0.002], {'method': '", c(BH = "benjamini_hochberg", holm = "holm", bonferroni = "bonferroni")[method], "'}) AS found"),
       p.adjust(p, method))
a <- d$age[d$cohort == "test"]; b <- d$age[d$cohort == "training"]
same("Standardised mean difference.", "SELECT [abs(standardized_mean_difference(age, cohort))] AS found FROM patients", abs(mean(a) - mean(b)) / sqrt((var(a) + var(b)) / 2))
pc <- prcomp(d[, c("age", "volume", "marker")], scale. = TRUE)
same("Principal components.", "SELECT list_transform(s, lambda c: c.sdev) || list_transform(s, lambda c: c.share) AS found FROM (SELECT pca_summary(pca_fit({'age': age, 'volume': volume, 'marker': marker}, 3, {'scale': true})) AS s FROM patients)",
     c(pc$sdev, pc$sdev^2 / sum(pc$sdev^2)))
