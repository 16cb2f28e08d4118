use super::super::dense::Dense;
use super::super::newton::Design;
use super::{Block, Blocks};

fn blocks() -> Blocks {
    let mut blocks = Blocks::new(9);
    let share = |i: usize| (i * 5 % 7) as f64 / 6.0;
    blocks.push(
        Block::Curve {
            knots: 4,
            left: vec![0, 1, 2, 4, 0, 1, 2, 2, 4],
            share: (0..9).map(share).collect(),
        },
        0.5,
    );
    blocks.push(
        Block::Cells {
            cells: 3,
            index: vec![0, 3, 2, 1, 1, 0, 2, 3, 0],
        },
        2.0,
    );
    blocks.push(
        Block::Curve {
            knots: 3,
            left: vec![1, 1, 0, 0, 3, 1, 0, 1, 0],
            share: (0..9).map(|i| share(i + 3)).collect(),
        },
        1.5,
    );
    blocks
}

#[test]
fn blocks_answer_as_the_written_out_matrix_does() {
    let blocks = blocks();
    let matrix = blocks.matrix();
    let dense = Dense::new(matrix.view());
    let weights: Vec<f64> = (0..8).map(|i| f64::from(i) - 3.3).collect();
    let per_row: Vec<f64> = (0..9).map(|i| f64::from(i * i) / 7.0 + 0.1).collect();
    let near = |a: &[f64], b: &[f64]| {
        assert_eq!(a.len(), b.len());
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    };
    near(&blocks.scores(&weights), &dense.scores(&weights));
    near(&blocks.transposed(&per_row), &dense.transposed(&per_row));
    let (sparse, full) = (blocks.gram(&per_row), dense.gram(&per_row));
    for row in 0..9 {
        for column in 0..=row {
            let (a, b) = (sparse[(row, column)], full[(row, column)]);
            assert!((a - b).abs() < 1e-12, "({row}, {column}): {a} {b}");
        }
    }
}

#[test]
fn runs_of_equal_rows_give_what_the_written_out_matrix_does() {
    let (rows, run) = (240, 6);
    let mut blocks = Blocks::new(rows);
    let of_run = |row: usize, salt: usize| (row / run * 7 + salt) % 11;
    for salt in 0..4 {
        let left = (0..rows).map(|row| (of_run(row, salt) % 4) as u16);
        // Three knots, so that 0 and 1 are places and 3 is missing.
        let left = left.map(|left| if left == 2 { 3 } else { left.min(1) });
        let share = (0..rows).map(|row| of_run(row, salt) as f64 / 11.0);
        let (left, share) = (left.collect(), share.collect());
        let knots = 3;
        blocks.push(Block::Curve { knots, left, share }, 0.5 + salt as f64);
    }
    let index = (0..rows).map(|row| (row % run) as u16).collect();
    blocks.push(Block::Cells { cells: 5, index }, 2.0);
    let index = (0..rows).map(|row| u16::from(of_run(row, 3) != 0));
    blocks.push(
        Block::Cells {
            cells: 1,
            index: index.collect(),
        },
        1.0,
    );
    let still = blocks.still();
    assert_eq!(still.runs.starts().len(), rows / run);
    assert_eq!(still.blocks.iter().flatten().count(), 5);
    let matrix = blocks.matrix();
    let dense = Dense::new(matrix.view());
    let weights: Vec<f64> = (0..blocks.width()).map(|i| i as f64 - 5.2).collect();
    let per_row: Vec<f64> = (0..rows)
        .map(|i| 0.1 + (i * i % 17) as f64 / 17.0)
        .collect();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-10, "{a} {b}");
    let pairs = |a: Vec<f64>, b: Vec<f64>| a.into_iter().zip(b).for_each(|(a, b)| near(a, b));
    pairs(blocks.scores(&weights), dense.scores(&weights));
    pairs(blocks.transposed(&per_row), dense.transposed(&per_row));
    let (sparse, full) = (blocks.gram(&per_row), dense.gram(&per_row));
    for row in 0..=blocks.width() {
        (0..=row).for_each(|column| near(sparse[(row, column)], full[(row, column)]));
    }
}

#[test]
fn the_mean_of_a_block_is_that_of_its_columns() {
    let blocks = blocks();
    let weights: Vec<f64> = (0..8).map(|i| f64::from(i) - 3.3).collect();
    let all: f64 = (0..3).map(|block| blocks.mean(block, &weights)).sum();
    let scores = blocks.scores(&weights);
    assert!((all - scores.iter().sum::<f64>() / 9.0).abs() < 1e-12);
}
