;; C = A B, the product of two matrices of float32: all the work of a network that counts.
;;
;; A has m rows of k numbers. The columns of B come in blocks of eight: a block holds, for each of its k rows, eight
;; numbers side by side. C has m rows of n numbers. m is a multiple of 4, n of 8: engine.js rounds up.
;; Four rows and eight columns are worked on at once, so that each number that is loaded is used four or eight times;
;; the 32 sums in eight registers of four are written when they are complete.
(module
  (import "engine" "memory" (memory 1))

  (func (export "product")
    (param $a i32) (param $b i32) (param $c i32)  ;; where A, B and C begin, in bytes
    (param $m i32) (param $k i32) (param $n i32)
    (local $row i32) (local $column i32) (local $left i32)      ;; the place in C; how much of the sum is left
    (local $w i32) (local $out i32) (local $line i32)           ;; addresses in B and C; bytes from row to row of C
    (local $x0 i32) (local $x1 i32) (local $x2 i32) (local $x3 i32)  ;; addresses in four rows of A
    (local $u v128) (local $v v128) (local $x v128)             ;; eight numbers of B, one of A four times
    (local $u0 v128) (local $u1 v128) (local $u2 v128) (local $u3 v128)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)

    (local.set $line (i32.shl (local.get $n) (i32.const 2)))
    (loop $columns
      (local.set $row (i32.const 0))
      (local.set $x3 (local.get $a))
      (local.set $out (i32.add (local.get $c) (i32.shl (local.get $column) (i32.const 2))))
      (loop $rows
        (local.set $x0 (local.get $x3))
        (local.set $x1 (i32.add (local.get $x0) (i32.shl (local.get $k) (i32.const 2))))
        (local.set $x2 (i32.add (local.get $x1) (i32.shl (local.get $k) (i32.const 2))))
        (local.set $x3 (i32.add (local.get $x2) (i32.shl (local.get $k) (i32.const 2))))
        (local.set $u0 (v128.const f32x4 0 0 0 0))
        (local.set $u1 (v128.const f32x4 0 0 0 0))
        (local.set $u2 (v128.const f32x4 0 0 0 0))
        (local.set $u3 (v128.const f32x4 0 0 0 0))
        (local.set $v0 (v128.const f32x4 0 0 0 0))
        (local.set $v1 (v128.const f32x4 0 0 0 0))
        (local.set $v2 (v128.const f32x4 0 0 0 0))
        (local.set $v3 (v128.const f32x4 0 0 0 0))
        (local.set $w (local.get $b))
        (local.set $left (local.get $k))
        (loop $sum
          (local.set $u (v128.load (local.get $w)))
          (local.set $v (v128.load offset=16 (local.get $w)))
          (local.set $x (v128.load32_splat (local.get $x0)))
          (local.set $u0 (f32x4.add (local.get $u0) (f32x4.mul (local.get $x) (local.get $u))))
          (local.set $v0 (f32x4.add (local.get $v0) (f32x4.mul (local.get $x) (local.get $v))))
          (local.set $x (v128.load32_splat (local.get $x1)))
          (local.set $u1 (f32x4.add (local.get $u1) (f32x4.mul (local.get $x) (local.get $u))))
          (local.set $v1 (f32x4.add (local.get $v1) (f32x4.mul (local.get $x) (local.get $v))))
          (local.set $x (v128.load32_splat (local.get $x2)))
          (local.set $u2 (f32x4.add (local.get $u2) (f32x4.mul (local.get $x) (local.get $u))))
          (local.set $v2 (f32x4.add (local.get $v2) (f32x4.mul (local.get $x) (local.get $v))))
          (local.set $x (v128.load32_splat (local.get $x3)))
          (local.set $u3 (f32x4.add (local.get $u3) (f32x4.mul (local.get $x) (local.get $u))))
          (local.set $v3 (f32x4.add (local.get $v3) (f32x4.mul (local.get $x) (local.get $v))))
          (local.set $w (i32.add (local.get $w) (i32.const 32)))
          (local.set $x0 (i32.add (local.get $x0) (i32.const 4)))
          (local.set $x1 (i32.add (local.get $x1) (i32.const 4)))
          (local.set $x2 (i32.add (local.get $x2) (i32.const 4)))
          (local.set $x3 (i32.add (local.get $x3) (i32.const 4)))  ;; at last: the next four rows of A begin here
          (br_if $sum (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (v128.store (local.get $out) (local.get $u0))
        (v128.store offset=16 (local.get $out) (local.get $v0))
        (local.set $out (i32.add (local.get $out) (local.get $line)))
        (v128.store (local.get $out) (local.get $u1))
        (v128.store offset=16 (local.get $out) (local.get $v1))
        (local.set $out (i32.add (local.get $out) (local.get $line)))
        (v128.store (local.get $out) (local.get $u2))
        (v128.store offset=16 (local.get $out) (local.get $v2))
        (local.set $out (i32.add (local.get $out) (local.get $line)))
        (v128.store (local.get $out) (local.get $u3))
        (v128.store offset=16 (local.get $out) (local.get $v3))
        (local.set $out (i32.add (local.get $out) (local.get $line)))
        (local.set $row (i32.add (local.get $row) (i32.const 4)))
        (br_if $rows (i32.lt_u (local.get $row) (local.get $m))))
      (local.set $b (local.get $w))  ;; the next block begins where this one ended
      (local.set $column (i32.add (local.get $column) (i32.const 8)))
      (br_if $columns (i32.lt_u (local.get $column) (local.get $n)))))
)
