# Single trees and forests of randomForestSRC (3.6.2) with two competing causes: Rscript competing_risks.R > competing_risks.json
#
# A tree is exported only if six seeds agree on it: equal statistics are decided by chance there.
suppressPackageStartupMessages(library(randomForestSRC))
options(rf.cores = 1, mc.cores = 1)

n <- 150
unit <- function(k) (((seq_len(n) * 48271 + k * 1000003 + 11) * 69621) %% 2147483647) %% 100003 / 100003
x <- data.frame(a = round(10 * unit(1), 1), b = round(10 * unit(2), 1), c = round(10 * unit(3), 1))
first <- -log(1 - unit(4)) * 14 * exp(-0.25 * (x$a - 5))
second <- -log(1 - unit(5)) * 16 * exp(-0.25 * (x$b - 5) + 0.1 * (x$a - 5))
censoring <- 2 + 14 * unit(6)
time <- ceiling(pmin(first, second, censoring))
status <- ifelse(pmin(first, second) > censoring, 0, ifelse(first < second, 1, 2))
data <- cbind(time, status, x)
at <- c(1, 3, 5, 8, 12, 20)

grown <- function(rule, cause, nodesize, seed)
  rfsrc(Surv(time, status) ~ ., data, ntree = 1, bootstrap = "none", mtry = 3, nsplit = 0, nodesize = nodesize, ntime = 0,
        splitrule = rule, cause = cause, seed = -seed, membership = TRUE, importance = "none", perf.type = "none")

array_of <- function(v) paste0("[", paste(ifelse(is.na(v), "null", sprintf("%.15g", v)), collapse = ","), "]")
rows_of <- function(m) paste0("[", paste(apply(m, 1, array_of), collapse = ","), "]")
field <- function(name, value) sprintf('"%s":%s', name, value)
labels_of <- function(fit) { m <- as.vector(fit$membership); match(m, unique(m)) }

cases <- list()
for (rule in c("logrankCR", "logrank")) for (cause in list(c(1, 1), c(1, 0), c(1, 3))) for (nodesize in c(10, 25)) {
  fits <- lapply(1:6, function(seed) grown(rule, cause, nodesize, seed))
  labels <- labels_of(fits[[1]])
  if (!all(sapply(fits, function(fit) all(labels_of(fit) == labels)))) next
  fit <- fits[[1]]
  steps <- findInterval(at, fit$time.interest)
  curve <- function(values, k) { m <- values[, , k]; sapply(steps, function(s) if (s == 0) rep(0, n) else m[, s]) }
  first_of <- match(unique(labels), labels)
  cases[[length(cases) + 1]] <- paste0("{", paste(c(
    field("splitrule", paste0('"', rule, '"')), field("cause", array_of(cause)), field("nodesize", nodesize),
    field("leaf_of_row_by_first_appearance", array_of(labels)),
    field("leaf_years_lost", rows_of(fit$predicted[first_of, , drop = FALSE])),
    field("leaf_cif_1", rows_of(curve(fit$cif, 1)[first_of, , drop = FALSE])),
    field("leaf_cif_2", rows_of(curve(fit$cif, 2)[first_of, , drop = FALSE])),
    field("leaf_chf_1", rows_of(curve(fit$chf, 1)[first_of, , drop = FALSE])),
    field("leaf_chf_2", rows_of(curve(fit$chf, 2)[first_of, , drop = FALSE]))), collapse = ","), "}")
}

# Forests: means and standard deviations over 25 seeds of the mean out-of-bag years lost and their spread over the rows.
seen <- sapply(1:25, function(seed) {
  fit <- rfsrc(Surv(time, status) ~ ., data, ntree = 200, mtry = 2, nodesize = 10, ntime = 0, seed = -seed, importance = "none")
  c(colMeans(fit$predicted.oob), apply(fit$predicted.oob, 2, sd), mean(fit$leaf.count))
})
names <- c("mean_1", "mean_2", "sd_1", "sd_2", "leaves")
forest <- paste0("{", paste(c(
  field("mean", paste0("{", paste(field(names, sprintf("%.15g", rowMeans(seen))), collapse = ","), "}")),
  field("sd", paste0("{", paste(field(names, sprintf("%.15g", apply(seen, 1, sd))), collapse = ","), "}"))), collapse = ","), "}")

cat("{", paste(c(
  field("time", array_of(time)), field("status", array_of(status)), field("a", array_of(x$a)), field("b", array_of(x$b)),
  field("c", array_of(x$c)), field("at", array_of(at)), field("forest", forest),
  field("trees", paste0("[\n", paste(cases, collapse = ",\n"), "\n]"))), collapse = ",\n"), "}\n", sep = "")
